import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { CopyRegions } from "#src/interceptor/copy-regions.ts";
import { RegionMap } from "#src/interceptor/region-map.ts";

const regionBlocks = MiB / blockBytes;

function regionsOf(sizeBytes: number, marked: readonly number[]) {
  const bits = new Uint8Array(Math.ceil(sizeBytes / MiB / 8));
  for (const region of marked) bits[region >> 3] = (bits[region >> 3] as number) | (1 << (region & 7));
  const map = new RegionMap(sizeBytes, bits);
  map.pinMarked();
  return { map, regions: new CopyRegions(map, sizeBytes, 0) };
}

test("pieces go through the pinned regions, and the last ends with the volume", () => {
  const { map, regions } = regionsOf(9 * MiB - 3 * blockBytes, [1, 8]);
  const taken: [number, number][] = [];
  for (let start = regions.nextBlock(); start !== undefined; start = regions.nextBlock()) {
    taken.push([start, regions.take(200)]);
  }
  expect(taken).toEqual([
    [256, 200],
    [456, 56],
    [2048, 200],
    [2248, 53],
  ]);
  expect([regions.isDone, map.pinnedCount]).toEqual([true, 2]);
  for (const [start, count] of taken) regions.done(start, count);
  expect(map.pinnedCount).toBe(0);
  expect(regions.progress("resync", 1_000)).toMatchObject({
    regionsDone: 2,
    regionsTotal: 2,
    bytesDone: 509 * blockBytes,
  });
});

test("a region is unpinned when all of its pieces are done, in whatever order", () => {
  const { map, regions } = regionsOf(8 * MiB, [2]);
  regions.take(128);
  regions.take(128);
  regions.done(2 * regionBlocks + 128, 128);
  expect(map.pinnedCount).toBe(1);
  regions.done(2 * regionBlocks, 128);
  expect(map.pinnedCount).toBe(0);
});

test("what could not be read comes again, after all others", () => {
  const { regions } = regionsOf(8 * MiB, [2, 5]);
  regions.take(256);
  regions.putBack(512, 256);
  expect([regions.isDone, regions.nextBlock(), regions.take(256)]).toEqual([false, 1280, 256]);
  expect([regions.isDone, regions.nextBlock(), regions.take(256), regions.isDone]).toEqual([false, 512, 256, true]);
});

test("progress ends at what there is, also where the volume ends within its last region", () => {
  const { regions } = regionsOf(8 * MiB + 3 * blockBytes, [2, 8]);
  expect(regions.bytesTotal).toBe(MiB + 3 * blockBytes);
});

test("zeros are passed to the end of the region, blocks that are only in part zeros are not", () => {
  const { map, regions } = regionsOf(8 * MiB, [0, 1, 2]);
  regions.looked(0, [
    { lengthBytes: MiB + 100, hole: true, zero: true },
    { lengthBytes: MiB, hole: false, zero: false },
  ]);
  expect(regions.skipZeros()).toBe(true);
  expect([map.pinnedCount, regions.nextBlock(), regions.skipZeros()]).toEqual([2, 256, false]);
  expect(regions.lookedUntilBlock).toBe(513);
});

test("where nothing is known of a region, it is read", () => {
  const { regions } = regionsOf(8 * MiB, [3]);
  regions.looked(768, []);
  expect([regions.skipZeros(), regions.lookedUntilBlock]).toEqual([false, 1024]);
});
