/**
 * The segment of the golden files, with all that a slot may be. No compression makes its blocks smaller, so frames lie in it as they
 * are, and where they do does not depend on the version of zstd.
 */
import { createHash } from "node:crypto";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import { StoreKeys } from "#src/store/store-keys.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { goldenKeys } from "./golden-store.ts";
import { MemoryFingerprintIndex } from "./memory-index.ts";
import type { MemoryObjects } from "./memory-objects.ts";
import { fixedRandomness } from "./small-object.ts";

export const goldenNumber = 2 ** 35 + 7;
/** What the other one points into. */
export const earlierNumber = goldenNumber - 1;
export const goldenOrigin = { group: "00112233445566778899aabbccddeeff", level: 3600 };
export const goldenMicros = 1_700_000_000_123_000;
export const goldenStoreKeys = new StoreKeys(goldenKeys);

export interface GoldenSlot {
  readonly volume: number;
  /** Of `blockState`. */
  readonly state: number;
  /** What was written there. */
  readonly block: Buffer;
}

/** Absent: nothing counts of that slot. */
export type GoldenSlots = ReadonlyMap<number, GoldenSlot>;

export function blockOf(name: string): Buffer {
  return createHash("shake256", { outputLength: blockBytes }).update(name).digest();
}

const volume = 3;

function sound(block: Buffer, ofVolume = volume): GoldenSlot {
  return { volume: ofVolume, state: blockState.sound, block };
}

export const earlierSlots: GoldenSlots = new Map([
  [0, sound(blockOf("another"))],
  [1, sound(blockOf("shared"))],
]);

/**
 * Of each kind another count, on three pages: the first has a frame that is full, the second one of one block, the third
 * nothing that is kept.
 */
export const goldenSlots: GoldenSlots = new Map([
  [0, sound(blockOf("first"))],
  [1, { volume, state: blockState.damaged, block: blockOf("spoiled") }],
  [2, sound(blockOf("second"), 70_000)],
  [3, sound(Buffer.alloc(blockBytes))],
  [4, sound(blockOf("third"))],
  [6, sound(blockOf("shared"))],
  [7, sound(blockOf("fourth"))],
  [8, sound(blockOf("second"))],
  [9, sound(blockOf("third"))],
  [10, sound(Buffer.alloc(blockBytes))],
  [11, sound(Buffer.alloc(blockBytes))],
  [slotsPerPage + 1, sound(blockOf("fifth"), 2 ** 31 + 5)],
  [2 * slotsPerPage, sound(Buffer.alloc(blockBytes), 2 ** 32 - 1)],
]);

class GoldenSegment implements ClosedSegment {
  readonly segment: number;
  readonly slotCount: number;
  readonly #slots: GoldenSlots;

  constructor(segment: number, slots: GoldenSlots) {
    this.segment = segment;
    this.slotCount = Math.max(...slots.keys()) + 1;
    this.#slots = slots;
  }

  read(from: number, count: number, run: SlotRun): void {
    for (let index = 0; index < count; index++) {
      const slot = this.#slots.get(from + index);
      run.states[index] = slot?.state ?? blockState.none;
      if (slot === undefined) continue;
      slot.block.copy(run.blocks, index * blockBytes);
      putChecksum(slot.block, 0, blockBytes, run.checksums, index * 8);
      run.volumes[index] = slot.volume;
    }
  }
}

/** The product's, with the segment that was sealed before. */
export async function storeOfEarlier(objects: MemoryObjects, keys: StoreKeys | undefined): Promise<SegmentStore> {
  const { clock, log } = new Simulation(1).host("a");
  clock.jumpWall(goldenMicros / 1000 - clock.wallMs());
  const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
  const parts = { objects, index: new MemoryFingerprintIndex(), fingerprints, key: keys?.storeKey };
  const store = await SegmentStore.open({ ...parts, clock, randomness: fixedRandomness, log });
  await store.seal(new GoldenSegment(earlierNumber, earlierSlots), goldenOrigin);
  return store;
}

export async function sealGolden(objects: MemoryObjects, keys: StoreKeys | undefined): Promise<void> {
  const store = await storeOfEarlier(objects, keys);
  await store.seal(new GoldenSegment(goldenNumber, goldenSlots), goldenOrigin);
}
