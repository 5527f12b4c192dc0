/** Segments are sealed into a service that fails, and read from it. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { addressOf } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { blockState, type ClosedSegment, type SlotRun } from "#src/store/segment-seal.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects } from "./faulty-objects.ts";

const volume = 3;
const slotCount = 40;
const origin = { group: "00112233445566778899aabbccddeeff", level: 0 };
const calm = { chances: {}, delayMsMax: 0, lateMsMax: 0 };

/** Blocks of a few contents, so that there are duplicates, and of zeros. */
function contentOf(number: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  for (let at = 0; number > 0 && at < blockBytes; at += 4) bytes.writeUInt32LE((number * 2_654_435_761 + at) >>> 0, at);
  return bytes;
}

class Segment implements ClosedSegment {
  readonly segment: number;
  readonly slotCount = slotCount;
  readonly blocks: readonly Buffer[];

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

class World {
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

  static async make(seed: number): Promise<World> {
    const simulation = new Simulation(seed);
    const host = simulation.host("a");
    const driver = simDriver(simulation.clock);
    const inner = await driven(driver, FolderObjects.open(host, "/store"));
    host.files.makeFolder("/index");
    const { files, clock, randomness, log, bootId } = host;
    const maps = new SimSortedMaps(files);
    const parts = { files, clock, randomness, log, bootId, maps, folder: "/index", store: Buffer.alloc(16, 7) };
    const index = await driven(driver, openFingerprintIndex({ ...parts, filterBytesMax: 4096, gatherBytesMax: 65536 }));
    return new World(simulation, host, inner, index);
  }

  store(objects: Objects): Promise<SegmentStore> {
    const { index, host } = this;
    const { clock, randomness, log } = host;
    const parts = { objects, index, fingerprints: plainFingerprints, key: undefined, clock, randomness, log };
    return driven(this.driver, SegmentStore.open(parts));
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

test("a segment whose object is there though its writer was told otherwise is not sealed again", async () => {
  for (const fault of ["after", "late"] as const) {
    const it = await World.make(1);
    const store = await it.store(it.objects);
    const segment = new Segment(1, it.simulation.random);
    it.objects.order("finish", fault);
    const seal = () => driven(it.driver, store.seal(segment, origin));
    await expect(seal()).rejects.toMatchObject({ name: "RetryError" });
    await it.simulation.clock.settle();
    await seal();
    expect(store.segments.has(1)).toBe(true);
    expect(await it.read(store, segment)).toBe(0);
    const again = new Segment(2, it.simulation.random);
    await driven(it.driver, store.seal({ ...again, segment: 2, read: segment.read.bind(segment) }, origin));
    expect(store.figures.uniqueBytes).toBe(0);
  }
});

test("fault 21: an answer that is cut or wrong is asked for again, and damage is told all the same", async () => {
  const it = await World.make(1);
  const segment = new Segment(1, it.simulation.random);
  await driven(it.driver, (await it.store(it.inner)).seal(segment, origin));
  for (const fault of ["cut", "wrong"] as const) {
    for (const readsBefore of [0, 1, 2, 3]) {
      const store = await it.store(it.objects);
      for (let count = 0; count < readsBefore; count++) it.objects.order("read", "none");
      it.objects.order("read", fault);
      expect(await it.read(store, segment)).toBe(0);
    }
  }
  const file = it.host.disk.fileAt("/store/segments/000000000001.0000");
  file.flipBit(200, 3);
  expect(await it.read(await it.store(it.objects), segment)).toBeGreaterThan(0);
});

test("fault 21: whatever a service does while segments are sealed, all of them come to be there, and no read gives wrong bytes", async () => {
  let faultCount = 0;
  let damagedCount = 0;
  for (let seed = 0; seed < 12; seed++) {
    const it = await World.make(seed);
    const store = await it.store(it.objects);
    it.objects.faults = anyFaults(0.03);
    const segments = [1, 2, 3, 4, 5].map((segment) => new Segment(segment, it.simulation.random));
    for (const segment of segments) {
      for (let tries = 0; !store.segments.has(segment.segment); tries++) {
        expect(tries, `seed ${seed}, segment ${segment.segment}`).toBeLessThan(100);
        const failure = await driven(
          it.driver,
          store.seal(segment, origin).catch((error: Error) => error),
        );
        if (failure instanceof Error)
          expect(failure.name, failure.stack).toMatch(/^(RetryError|StopError|ObjectDamageError)$/);
      }
      const outcome = await it.read(store, segment).catch((error: Error) => error);
      if (outcome instanceof Error) expect(outcome.name, outcome.stack).toBe("RetryError");
      else damagedCount += outcome;
    }
    faultCount += it.objects.faultCount;
    it.objects.faults = calm;
    await it.simulation.clock.settle();
    const again = await it.store(it.inner);
    for (const segment of segments) expect(await it.read(again, segment), `seed ${seed}`).toBe(0);
  }
  expect(faultCount).toBeGreaterThan(50);
  expect(damagedCount).toBeGreaterThan(0);
});
