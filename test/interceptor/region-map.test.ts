import { expect, test } from "vitest";
import { blockBytes, MiB, regionCountMax, regionsMarkedAhead } from "#src/core/limits.ts";
import { RegionMap, regionBytesOf } from "#src/interceptor/region-map.ts";

const regionBlocks = MiB / blockBytes;

/** A map of so many regions whose marks became durable as soon as they were wanted. */
function mapOf(regions: number): { map: RegionMap; want(region: number): boolean; marked(): number[] } {
  const map = new RegionMap(regions * MiB);
  return {
    map,
    want(region) {
      const isNew = map.want(region * regionBlocks, 1);
      map.madeDurable(map.image());
      return isNew;
    },
    marked: () => Array.from({ length: regions }, (_, at) => at).filter((at) => map.covers(at * regionBlocks, 1)),
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

test("regions have 1 MiB, or more where there would be too many", () => {
  expect(regionBytesOf(1)).toBe(MiB);
  expect(regionBytesOf(regionCountMax * MiB)).toBe(MiB);
  expect(regionBytesOf(regionCountMax * MiB + 1)).toBe(2 * MiB);
  expect(new RegionMap(2 ** 53 - 1).regionCount).toBeLessThanOrEqual(regionCountMax);
});

test("a mark covers nothing before it is durable", () => {
  const map = new RegionMap(100 * MiB);
  expect(map.want(0, 1)).toBe(true);
  expect(map.covers(0, 1)).toBe(false);
  const image = map.image();
  map.want(50 * regionBlocks, 1);
  map.madeDurable(image);
  expect([map.covers(0, 1), map.covers(50 * regionBlocks, 1)]).toEqual([true, false]);
  expect(map.want(0, 1)).toBe(false);
});

test("with a region those behind it are marked, up to the last", () => {
  const { want, marked } = mapOf(30);
  want(3);
  expect(marked()).toEqual(range(3, 3 + regionsMarkedAhead));
  want(29);
  expect(marked()).toEqual([...range(3, 3 + regionsMarkedAhead), 29]);
});

test("a writer that goes straight on never comes to a region that is not marked", () => {
  const { map, want } = mapOf(200);
  want(0);
  let asked = 0;
  for (let block = 0; block < 200 * regionBlocks; block += 64) {
    expect(map.covers(block, 64)).toBe(true);
    if (map.touch(block, 64)) {
      asked++;
      map.madeDurable(map.image());
    }
  }
  expect(asked).toBeLessThan(25);
});

test("a change over several regions needs the marks of all", () => {
  const { map, want } = mapOf(100);
  want(0);
  const from = (regionsMarkedAhead - 1) * regionBlocks;
  expect(map.covers(from, 2 * regionBlocks)).toBe(true);
  expect(map.covers(from, 2 * regionBlocks + 1)).toBe(false);
});

test("marks of regions that were written since the interval began, or in the one before, stay", () => {
  const { map, want, marked } = mapOf(100);
  for (const region of [0, 30, 60]) want(region);
  map.beginInterval();
  map.beginInterval();
  map.touch(30 * regionBlocks, 1);
  map.beginInterval();
  map.touch(60 * regionBlocks, 1);
  expect(map.clear(false)).toBe(true);
  expect(marked()).toEqual([30, 60]);
  expect(map.clear(true)).toBe(true);
  expect(marked()).toEqual([60]);
  expect(map.clear(true)).toBe(false);
});

test("pinned marks stay until they are let go", () => {
  const { map, want, marked } = mapOf(100);
  want(0);
  map.keep(0, 6 * regionBlocks);
  map.pinMarked();
  expect(map.pinnedCount).toBe(6);
  map.beginInterval();
  map.beginInterval();
  map.unpin(2);
  map.clear(true);
  expect(marked()).toEqual([0, 1, 3, 4, 5]);
  expect([map.nextPinned(0), map.nextPinned(2), map.nextPinned(50)]).toEqual([0, 3, undefined]);
});

test("what is marked ahead of a writer is not pinned before there are records of it", () => {
  const { map, want } = mapOf(100);
  want(20);
  map.touch(22 * regionBlocks, 1);
  map.pinMarked();
  expect([map.pinnedCount, map.nextPinned(0)]).toEqual([1, 22]);
  map.unpin(22);
  map.beginInterval();
  map.clear(true);
  want(22);
  map.pinMarked();
  expect(map.pinnedCount).toBe(0);
});

test("of what was found on the disk nobody knows why it was marked: all of it is pinned", () => {
  const { map, want } = mapOf(64);
  want(20);
  const found = new RegionMap(64 * MiB, map.image());
  found.pinMarked();
  expect(found.pinnedCount).toBe(regionsMarkedAhead + 1);
  map.markAll();
  map.pinMarked();
  expect(map.pinnedCount).toBe(64);
});

test("what is cleared while an older image is being written is not taken for marked", () => {
  const { map, want, marked } = mapOf(100);
  want(0);
  const image = map.image();
  map.beginInterval();
  map.clear(true);
  map.madeDurable(image);
  expect(marked()).toEqual([]);
});

test("a record in a region that is not marked is a fault of this program", () => {
  const { map } = mapOf(100);
  expect(() => map.touch(0, 1)).toThrow("marked before");
});
