import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { bitmapBytesOf, markBytes, regionBytesOf, resizedBits } from "#src/interceptor/region-map.ts";
import { convertRegionMap, resizedCopy } from "#src/interceptor/region-map-conversion.ts";
import { RegionMapFile } from "#src/interceptor/region-map-file.ts";
import { copyBytesOf, type RegionMapState } from "#src/interceptor/region-map-format.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const id = "00112233445566778899aabbccddeeff";
const state: RegionMapState = {
  durableOrdinal: 9,
  resyncWanted: false,
  tracking: false,
  unprotectedMicros: 7,
  redoing: false,
  base: "complete",
};
const zeros = () => Promise.resolve(true);
const data = () => Promise.resolve(false);

function isMarked(bits: Uint8Array, sizeBytes: number, at: number): boolean {
  const region = Math.floor(at / regionBytesOf(sizeBytes));
  return ((bits[region >> 3] as number) & (1 << (region & 7))) !== 0;
}

test("whatever the sizes are, all that was marked and is still there is marked", () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 300; round++) {
    const [from, to] = [drawSize(random), drawSize(random)];
    const bits = new Uint8Array(bitmapBytesOf(from));
    const marked: number[] = [];
    for (let count = random.integerBelow(6); count > 0; count--) {
      const at = Math.floor((from * random.integerBelow(1_000)) / 1_000);
      markBytes(bits, from, at, at + 1);
      marked.push(at);
    }
    const resized = resizedBits(bits, from, to);
    expect(resized.length).toBe(bitmapBytesOf(to));
    const lost = marked.filter((at) => at < to && !isMarked(resized, to, at));
    expect(lost, `${from} to ${to}`).toEqual([]);
    if (marked.length === 0) expect(resized.every((byte) => byte === 0)).toBe(true);
  }
});

/** Also such whose regions are larger than the smallest ones. */
function drawSize(random: SeededRandom): number {
  return 1 + random.integerBelow(random.pick([MiB, 64 * MiB, 2 ** 32])) * random.pick([1, 50]);
}

test("what a volume has grown by is marked where it may hold something, and nothing else is", () => {
  const copy = { generation: 4, state, bits: new Uint8Array(bitmapBytesOf(10 * MiB)) };
  const clean = resizedCopy(copy, 10 * MiB, 20 * MiB, true);
  expect([clean.state, clean.bits.every((byte) => byte === 0)]).toEqual([state, true]);
  const dirty = resizedCopy(copy, 10 * MiB + 512, 20 * MiB, false);
  expect(dirty.state.base).toBe("copying");
  const marked = Array.from({ length: 20 }, (_, at) => at).filter((at) => isMarked(dirty.bits, 20 * MiB, at * MiB));
  expect(marked).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

function sizeOnDisk(host: SimHost): number {
  const handle = host.files.open("/regions", "read");
  const { sizeBytes } = { sizeBytes: handle.sizeBytesNow() };
  handle.close();
  return sizeBytes;
}

async function finished<Result>(simulation: Simulation, work: Promise<Result>): Promise<Result> {
  work.catch(() => {});
  await simulation.clock.settle();
  return work;
}

/** A map of 400 regions, of which the 7th and the 399th are marked. */
async function marked(seed: number) {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const owner = { id, sizeBytes: 400 * MiB };
  const file = await finished(simulation, RegionMapFile.open(host.files, "/regions", owner, true));
  for (const region of [7, 399]) markBytesOf(file, region);
  await finished(simulation, file.update({ durableOrdinal: 42 }));
  file.close();
  return { simulation, host };
}

function markBytesOf(file: RegionMapFile, region: number): void {
  file.map.pinMarked();
  file.map.want((region * MiB) / 4096, 1);
}

test.each([
  [800 * MiB, 400],
  [8 * MiB, 400],
  [200 * 1024 * MiB, 400],
])(
  "faults 10 and 11: a power cut at any moment leaves a map of one size or the other (%d)",
  async (sizeBytes, previous) => {
    const grown = { id, sizeBytes, previousBytes: previous * MiB };
    for (let events = 0; events < 14; events++) {
      const { simulation, host } = await marked(events);
      let count = 0;
      convertRegionMap(host.files, "/regions", grown, zeros).catch(() => {});
      await simulation.clock.pass(1_000, () => ++count > events);
      host.cutPower();
      await finished(simulation, convertRegionMap(host.files, "/regions", grown, zeros));
      const file = await finished(simulation, RegionMapFile.open(host.files, "/regions", grown, true));
      expect([file.isNew, file.isDoubtful, file.state.durableOrdinal]).toEqual([false, false, 42]);
      expect(file.map.covers((7 * MiB) / 4096, 1)).toBe(true);
      if (sizeBytes > 400 * MiB) expect(file.map.covers((399 * MiB) / 4096, 1)).toBe(true);
      expect(sizeOnDisk(host)).toBe(2 * copyBytesOf(sizeBytes));
      file.close();
    }
  },
);

test("one that is for the size already is left as it is, whatever the source holds by now", async () => {
  const { simulation, host } = await marked(1);
  const grown = { id, sizeBytes: 800 * MiB, previousBytes: 400 * MiB };
  await finished(simulation, convertRegionMap(host.files, "/regions", grown, zeros));
  await finished(simulation, convertRegionMap(host.files, "/regions", grown, data));
  const file = await finished(simulation, RegionMapFile.open(host.files, "/regions", grown, true));
  expect(file.isCopyDue).toBe(false);
});

test("fault 18: where a copy was damaged, all of the new size is marked and copied", async () => {
  const { simulation, host } = await marked(1);
  const handle = host.files.open("/regions", "readWrite");
  handle.writeNow(Buffer.alloc(64, 0xee), 0, 64, copyBytesOf(400 * MiB) + 512);
  handle.close();
  const grown = { id, sizeBytes: 800 * MiB, previousBytes: 400 * MiB };
  await finished(simulation, convertRegionMap(host.files, "/regions", grown, zeros));
  const file = await finished(simulation, RegionMapFile.open(host.files, "/regions", grown, true));
  expect([file.map.markedCount, file.state.resyncWanted]).toEqual([800, true]);
});

test("one that is damaged, of another volume or not there is for others to speak of", async () => {
  const { simulation, host } = await marked(1);
  const grown = { id, sizeBytes: 800 * MiB, previousBytes: 400 * MiB };
  const other = { ...grown, id: "f".repeat(32) };
  await finished(simulation, convertRegionMap(host.files, "/regions", other, zeros));
  await finished(simulation, convertRegionMap(host.files, "/none", grown, zeros));
  expect(host.files.exists("/none")).toBe(false);
  const opening = RegionMapFile.open(host.files, "/regions", grown, true);
  await expect(finished(simulation, opening)).rejects.toThrow("it is for a volume of");
});
