import { expect, test } from "vitest";
import { type BlockExtent, endOfBlocks, extentOf, extentPart, holds } from "#src/journals/block-extent.ts";
import { orderByTwo } from "#src/journals/block-order.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import { decodeExtentPage, ExtentPageBuilder } from "#src/journals/extent-page.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { contentOf, plainRecords, RandomUnits, volumeBlocks, volumeCount } from "./random-units.ts";

function extentsOf(extents: readonly BlockExtent[]): BlockExtent[] {
  const touches = new BlockTouches();
  for (const extent of extents) touches.add(extent);
  return [...touches.extents()];
}

const hole = (startBlock: number, blockCount: number, seq: number): BlockExtent => ({
  ...{ volume: 1, startBlock, blockCount, address: 0, level: 0, seq },
});

test("the last record that touches a block decides on it", () => {
  for (let seed = 0; seed < 60; seed++) {
    const records = plainRecords(new RandomUnits(new SeededRandom(seed)).take(1 + seed));
    const extents = extentsOf(records.flatMap((record) => extentOf(record, record.extra) ?? []));
    for (let volume = 0; volume <= volumeCount; volume++) {
      for (let block = 0; block < volumeBlocks + 10; block++) {
        const found = extents.filter((extent) => holds(extent, volume, block));
        const expected = contentOf(records, volume, block);
        expect(found.map((extent) => extentPart(extent, block, 1))).toMatchObject(
          expected === undefined ? [] : [expected],
        );
      }
    }
  }
});

test("extents come in the order of their blocks, and none goes on as the one before does", () => {
  const records = plainRecords(new RandomUnits(new SeededRandom(9)).take(300));
  const extents = extentsOf(records.flatMap((record) => extentOf(record, record.extra) ?? []));
  for (const [index, extent] of extents.entries()) {
    const before = extents[index - 1];
    if (before === undefined || before.volume < extent.volume) continue;
    const end = before.startBlock + before.blockCount;
    expect(extent.startBlock).toBeGreaterThanOrEqual(end);
    const isOneMore =
      extent.startBlock === end && extent.seq === before.seq && extent.address === 0 && before.address === 0;
    // Two records of an aggregate may say the same of neighbours.
    if (isOneMore) expect(records.find((record) => record.seq === extent.seq)?.isAggregated).toBe(true);
  }
});

test("a record of which only the middle was overwritten has two extents, and its addresses go on", () => {
  const write = { ...hole(10, 8, 1), address: 65_536 };
  expect(extentsOf([write, hole(12, 2, 2)])).toEqual([
    { ...write, blockCount: 2 },
    hole(12, 2, 2),
    { ...write, startBlock: 14, blockCount: 4, address: 65_540 },
  ]);
});

test("a resize makes zeros of all that lies behind the end, up to the last block there could be", () => {
  const extra = encodeExtra({ sizeBytes: 3 * 4096 - 1, previousBytes: 9 });
  const resize = { ...hole(0, 0, 4), type: recordType.resize, timeMicros: 0, epoch: 1, ordinal: 0, extraBytes: 0 };
  expect(extentOf(resize, extra)).toEqual(hole(3, endOfBlocks - 3, 4));
  expect(extentsOf([hole(0, 9, 1), hole(3, endOfBlocks - 3, 4)])).toEqual([hole(0, 3, 1), hole(3, endOfBlocks - 3, 4)]);
  expect(() => extentOf(resize, encodeExtra({ size: 3 }))).toThrow("record 4 tells of volume 1, and does not say");
  const told = { ...resize, type: recordType.volume };
  expect(extentOf(told, encodeExtra({ id: "a", name: "b", sizeBytes: 2 * 4096 }))).toEqual(hole(2, endOfBlocks - 2, 4));
});

test("numbers are ordered by the first and then by the second, equal ones as they were", () => {
  const random = new SeededRandom(2);
  const count = 5000;
  const high = Uint32Array.from({ length: count }, () => random.pick([0, 1, 70_000, 2 ** 32 - 1]));
  const low = Float64Array.from({ length: count }, () => random.integerBelow(40) * 2 ** random.integerBelow(48));
  const compare = (a: number, b: number) =>
    (high[a] as number) - (high[b] as number) || (low[a] as number) - (low[b] as number) || a - b;
  const expected = Array.from({ length: count }, (_, place) => place).sort(compare);
  expect([...orderByTwo(count, high, low)]).toEqual(expected);
  expect([...orderByTwo(0, high, low)]).toEqual([]);
});

test("a page of extents comes back as it was, and another begins anew", () => {
  const records = plainRecords(new RandomUnits(new SeededRandom(4)).take(800));
  const extents = extentsOf(records.flatMap((record) => extentOf(record, record.extra) ?? []));
  const builder = new ExtentPageBuilder();
  for (let start = 0; start < extents.length; start += 50) {
    const some = extents.slice(start, start + 50);
    for (const extent of some) builder.add(extent);
    const bytes = Buffer.from(builder.finish());
    expect(decodeExtentPage(bytes)).toEqual(some);
    expect(decodeExtentPage(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
    for (let end = 0; end < bytes.length; end++) expect(decodeExtentPage(bytes.subarray(0, end))).toBeUndefined();
  }
});

test("whatever bytes come, the answer is extents in their order or none", () => {
  const extents = Array.from({ length: 40 }, (_, index) => ({
    ...hole(index * 7, 3, 40 - index),
    address: 65_536 + index,
  }));
  const builder = new ExtentPageBuilder();
  for (const extent of extents) builder.add(extent);
  const bytes = Buffer.from(builder.finish());
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    (flipped[bit >> 3] as number) ^= 1 << (bit & 7);
    // The builder asserts that they are in their order.
    const found = decodeExtentPage(flipped) ?? [];
    for (const extent of found) builder.add(extent);
    if (found.length > 0) expect(decodeExtentPage(builder.finish())).toEqual(found);
  }
});

test("addresses and seqs may be as large as any", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const extents = [
    { ...hole(1, 1, 3), address: most - 5 },
    { ...hole(2, 1, most), address: most - 70_000 },
    { ...hole(3, 1, 1), address: 65_536 },
    { ...hole(4, endOfBlocks - 4, most - 1), address: 0 },
  ];
  const builder = new ExtentPageBuilder();
  for (const extent of extents) builder.add(extent);
  expect(decodeExtentPage(builder.finish())).toEqual(extents);
  for (const extent of extents) {
    builder.add(extent);
    expect(decodeExtentPage(builder.finish())).toEqual([extent]);
  }
});

test("an address that is far from what was predicted comes back exactly", () => {
  const most = Number.MAX_SAFE_INTEGER;
  // The last one is alone in its run.
  const extents = Array.from({ length: 129 }, (_, index) => ({
    ...hole(index, 1, index),
    address: most - 300 + index,
  }));
  extents[128] = { ...hole(128, 1, most), address: 65_537 };
  const builder = new ExtentPageBuilder();
  for (const extent of extents) builder.add(extent);
  expect(decodeExtentPage(builder.finish())).toEqual(extents);
});
