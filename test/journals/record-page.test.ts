import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { sealedPageExtraBytesMax, sealedPageRecordsMax } from "#src/core/store-limits.ts";
import type { OrderedEntry, OrderPlace } from "#src/journals/record-order.ts";
import { RecordPageBuilder } from "#src/journals/record-page-builder.ts";
import { recordPageBytesMax } from "#src/journals/record-page-format.ts";
import { decodeRecordPage, type RecordPage } from "#src/journals/record-page-reader.ts";
import { recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type PlainRecord, plainRecords, RandomUnits } from "./random-units.ts";

const none = Buffer.alloc(0);
const start: OrderPlace = { seq: 0, epoch: 1, timeMicros: 10, isInAggregate: false };

function pagesOf(records: readonly PlainRecord[], from = start): Buffer[] {
  const builder = new RecordPageBuilder(from);
  const pages: Buffer[] = [];
  for (const { extra, ...entry } of records) {
    if (!builder.takes(entry)) pages.push(Buffer.from(builder.finish()));
    builder.add(entry, extra, 0);
  }
  pages.push(Buffer.from(builder.finish()));
  return pages;
}

const record = (change: Partial<OrderedEntry> = {}, extra = none): PlainRecord => ({
  ...{
    type: recordType.write,
    volume: 1,
    seq: 1,
    timeMicros: 10,
    startBlock: 5,
    address: 65_536,
    blockCount: 1,
    epoch: 1,
  },
  ...{ ordinal: 1, level: 0, isAggregated: false, extra, ...change, extraBytes: extra.length },
});

test("records come back as they were, each page by itself", () => {
  for (let seed = 0; seed < 20; seed++) {
    const records = plainRecords(new RandomUnits(new SeededRandom(seed)).take(seed * 20 + 1));
    const first = records[0] as PlainRecord;
    const place = { ...start, epoch: first.epoch, seq: first.isAggregated ? 0 : first.seq - 1 };
    const pages = pagesOf(records, place).map((bytes) => decodeRecordPage(bytes) as RecordPage);
    expect(pages.flatMap((page) => page.records)).toEqual(records);
    for (const [index, page] of pages.entries()) expect(page.start).toEqual(pages[index - 1]?.end ?? place);
  }
});

test("a page ends where it has its most records, or its most of extra parts", () => {
  const many = Array.from({ length: sealedPageRecordsMax + 1 }, (_, index) => record({ seq: index + 1 }));
  expect(pagesOf(many)).toHaveLength(2);
  const long = Array.from({ length: 3 }, (_, index) =>
    record({ type: recordType.mark, address: 0, seq: index + 1 }, Buffer.alloc(sealedPageExtraBytesMax / 2, 0x20)),
  );
  expect(pagesOf(long)).toHaveLength(2);
});

test("a page of records that have nothing in common is within its bound", () => {
  const random = new SeededRandom(5);
  const any = (most: number) => Math.floor(random.integerBelow(2 ** 32) * (most / 2 ** 32));
  const records = Array.from({ length: sealedPageRecordsMax }, (_, index) =>
    record({
      volume: any(2 ** 32),
      seq: index + 1,
      timeMicros: any(2 ** 53 - 1),
      startBlock: any(2 ** 52),
      blockCount: random.between(1, 256),
      address: 65_536 * any(2 ** 36) + 65_536,
      ordinal: any(2 ** 53 - 1),
    }),
  );
  const [page = none, ...more] = pagesOf(records);
  expect(more).toEqual([]);
  expect(page.length).toBeLessThanOrEqual(recordPageBytesMax);
  expect(decodeRecordPage(page)?.records).toEqual(records);
});

test("what goes on as it went on before takes next to nothing", () => {
  const records = Array.from({ length: sealedPageRecordsMax }, (_, index) =>
    record({
      seq: index + 1,
      timeMicros: 10 + index * 25,
      startBlock: 700 + 8 * index,
      blockCount: 8,
      address: 65_536 + 8 * index,
      ordinal: 33 + index,
    }),
  );
  expect(pagesOf(records)[0]?.length).toBeLessThan(300);
});

test.each<[string, Partial<OrderedEntry>[]]>([
  ["leaves out a seq", [{ seq: 2 }]],
  ["comes twice", [{ seq: 1 }, { seq: 1 }]],
  ["is of an epoch that has not begun", [{ seq: 1, epoch: 2 }]],
  ["begins an epoch that was there before", [{ seq: 9, epoch: 0, type: recordType.epoch, address: 0 }]],
  ["is an aggregate's end alone", [{ type: recordType.aggregate, address: 0 }]],
  ["breaks into an aggregate", [{ seq: 5, isAggregated: true }, { seq: 6 }]],
  [
    "is of another seq than its aggregate",
    [
      { seq: 5, isAggregated: true },
      { seq: 6, isAggregated: true },
    ],
  ],
  ["is of another time than its aggregate", [{ isAggregated: true }, { isAggregated: true, timeMicros: 11 }]],
  ["cannot be folded", [{ isAggregated: true, type: recordType.flush, address: 0 }]],
  ["has a payload and no address", [{ address: 0 }]],
])("a record that %s is not sealed", (_, changes) => {
  const builder = new RecordPageBuilder(start);
  expect(() => {
    for (const change of changes) builder.add(record(change), none, 0);
  }).toThrow(AssertionError);
});

test("whatever bytes come, the answer is a page of sound records or none", () => {
  const random = new SeededRandom(3);
  const records = plainRecords(new RandomUnits(random).take(4));
  const [bytes = none] = pagesOf(records, { ...start, epoch: (records[0] as PlainRecord).epoch });
  const extrasBytes = decodeRecordPage(bytes)?.records.reduce((sum, one) => sum + one.extraBytes, 0) ?? 0;
  expect(extrasBytes).toBeLessThan(bytes.length);
  for (let bit = 0; bit < (bytes.length - extrasBytes) * 8; bit++) {
    const flipped = Buffer.from(bytes);
    (flipped[bit >> 3] as number) ^= 1 << (bit & 7);
    const page = decodeRecordPage(flipped);
    if (page !== undefined) expect(pagesOf(page.records as PlainRecord[], page.start)).toHaveLength(1);
  }
  expect(decodeRecordPage(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  for (let end = 0; end < bytes.length; end += 7) expect(decodeRecordPage(bytes.subarray(0, end))).toBeUndefined();
});
