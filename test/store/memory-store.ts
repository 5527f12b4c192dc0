/** A store in memory, as the one process that writes has it. */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { addressOf } from "#src/records/address.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import type { Objects } from "#src/store/objects.ts";
import type { SegmentRewriteParts } from "#src/store/segment-rewrite.ts";
import { SegmentStore, type SegmentStoreParts } from "#src/store/segment-store.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { type ClosedBlocks, contentOf } from "./closed-blocks.ts";
import { MemoryFingerprintIndex } from "./memory-index.ts";
import { MemoryObjects } from "./memory-objects.ts";

export const origin = { group: "00112233445566778899aabbccddeeff", level: 0 };

/** Of a work that is alone, and that nobody ends. */
export const freely: WorkControl = {
  isCancelled: false,
  throwIfCancelled: () => {},
  progress: () => {},
  pace: async () => {},
};

export class MemoryStore {
  readonly objects: Objects;
  readonly parts: SegmentStoreParts & SegmentRewriteParts;
  readonly store: SegmentStore;
  readonly index: MemoryFingerprintIndex;

  private constructor(parts: SegmentStoreParts, index: MemoryFingerprintIndex, store: SegmentStore) {
    this.objects = parts.objects;
    this.index = index;
    this.parts = parts;
    this.store = store;
  }

  static async open(
    objects: Objects = new MemoryObjects(),
    index = new MemoryFingerprintIndex(),
  ): Promise<MemoryStore> {
    const { clock, randomness, log } = new Simulation(1).host("a");
    const parts = { objects, index, fingerprints: plainFingerprints, key: undefined, clock, randomness, log };
    const store = await SegmentStore.open(parts);
    await store.catchUp();
    return new MemoryStore(parts, index, store);
  }

  async seal(...segments: readonly ClosedBlocks[]): Promise<void> {
    for (const segment of segments) await this.store.seal(segment, origin);
  }
}

/** Of each slot the number of its content; undefined where it is told as damaged. What is given has to be right. */
export async function contentsOf(reader: BlockReader, closed: ClosedBlocks): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const [slot, { volume, content }] of closed.slots.entries()) {
    const target = Buffer.alloc(blockBytes, 0xee);
    const address = addressOf(closed.segment, slot);
    const bad = await reader.read({ address, blockCount: 1, volume }, target, 0);
    const isRight = target.equals(contentOf(content));
    assert(bad.length > 0 || isRight, `other bytes were given for slot ${slot} of segment ${closed.segment}`);
    found.push(bad.length === 0 ? content : undefined);
  }
  return found;
}
