/** Segments with blocks of a few contents, and a store for them whose objects can be made to fail. */
import { expect } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import { addressOf } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import type { SegmentCounts } from "#src/store/segment-format.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import type { StoreKeys } from "#src/store/store-keys.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { FaultyObjects } from "./faulty-objects.ts";

const volume = 3;
const slotCount = 40;
export const origin = { group: "00112233445566778899aabbccddeeff", level: 0 };

/** Blocks of a few contents, so that there are duplicates, and of zeros. */
function contentOf(number: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  for (let at = 0; number > 0 && at < blockBytes; at += 4) bytes.writeUInt32LE((number * 2_654_435_761 + at) >>> 0, at);
  return bytes;
}

export class Segment implements ClosedSegment {
  readonly segment: number;
  readonly slotCount = slotCount;
  readonly blocks: Buffer[];

  constructor(segment: number, random: SeededRandom) {
    this.segment = segment;
    this.blocks = Array.from({ length: slotCount }, () => contentOf(random.integerBelow(100)));
  }

  read(from: number, count: number, run: SlotRun): void {
    for (const [index, block] of this.blocks.slice(from, from + count).entries()) {
      block.copy(run.blocks, index * blockBytes);
      putChecksum(block, 0, blockBytes, run.checksums, index * 8);
      run.volumes[index] = volume;
      run.states[index] = blockState.sound;
    }
  }
}

export class SegmentWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly driver: Driver;
  readonly inner: FolderObjects;
  readonly objects: FaultyObjects;
  readonly index: FingerprintIndex;

  private constructor(simulation: Simulation, host: SimHost, inner: FolderObjects, index: FingerprintIndex) {
    this.simulation = simulation;
    this.host = host;
    this.driver = simDriver(simulation.clock);
    this.inner = inner;
    this.objects = new FaultyObjects({ inner, clock: host.clock, random: simulation.random.fork("service") });
    this.index = index;
  }

  static async make(seed: number): Promise<SegmentWorld> {
    const simulation = new Simulation(seed);
    const host = simulation.host("a");
    const driver = simDriver(simulation.clock);
    const inner = await driven(driver, FolderObjects.open(host, "/store"));
    host.files.makeFolder("/index");
    const { files, clock, randomness, log, bootId } = host;
    const maps = new SimSortedMaps(files);
    const parts = { files, clock, randomness, log, bootId, maps, folder: "/index", store: Buffer.alloc(16, 7) };
    const index = await driven(driver, openFingerprintIndex({ ...parts, filterBytesMax: 4096, gatherBytesMax: 65536 }));
    return new SegmentWorld(simulation, host, inner, index);
  }

  store(objects: Objects, keys?: StoreKeys): Promise<SegmentStore> {
    const { index, host } = this;
    const { clock, randomness, log } = host;
    const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
    const parts = { objects, index, fingerprints, key: keys?.storeKey, clock, randomness, log };
    return driven(this.driver, SegmentStore.open(parts));
  }

  async counts(store: SegmentStore, segment: number): Promise<SegmentCounts> {
    return (await driven(this.driver, store.segments.directory(segment))).counts;
  }

  /** How many blocks are told as damaged; what is given has to be right. */
  async read(store: SegmentStore, segment: Segment): Promise<number> {
    const target = Buffer.alloc(slotCount * blockBytes, 0xee);
    const run = { address: addressOf(segment.segment, 0), blockCount: slotCount, volume };
    const damaged = await driven(this.driver, store.reader.read(run, target, 0));
    for (const [slot, block] of segment.blocks.entries()) {
      const found = target.subarray(slot * blockBytes, (slot + 1) * blockBytes);
      if (!damaged.includes(slot)) expect(found.equals(block), `segment ${segment.segment}, slot ${slot}`).toBe(true);
    }
    return damaged.length;
  }
}
