import { describe, expect, test } from "vitest";
import { aggregateRecordsMax, batchBytesMax, batchRecordCountMax, blockBytes } from "#src/core/limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import {
  AggregatePartBuilder,
  type AggregatePartHeader,
  aggregatePartRecords,
  foldedFigures,
  getAggregatePartHeader,
} from "#src/records/aggregate-part.ts";
import { type BatchHeader, batchMagic, getBatchHeader, hasSoundHeads, putBatchHeader } from "#src/records/batch.ts";
import { BatchBuilder, type NewRecord } from "#src/records/batch-builder.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { wireAggregate } from "#test/journals/wire-aggregate.ts";
import { payloadOf } from "#test/journals/wire-batch.ts";

const { write, trim, zero, flush, mark, aggregate } = recordType;
const place = { epoch: 3, firstSeq: 10, lastSeq: 25, partNumber: 4 };

/** A part with records that no builder of parts would put there. */
function forged(records: readonly Partial<NewRecord & { extra: object }>[], change: Partial<BatchHeader> = {}): Buffer {
  const bytes = Buffer.alloc(batchBytesMax);
  const builder = new BatchBuilder();
  builder.begin(bytes, 0);
  for (const { extra, ...record } of records) {
    const whole = { type: write, volume: 1, startBlock: 0, blockCount: 1, ordinal: 0, ...record };
    if (whole.type === write) builder.addWrite(whole, payloadOf(1, whole.blockCount), 0);
    else builder.add(whole, extra === undefined ? Buffer.alloc(0) : encodeExtra(extra));
  }
  const { epoch, firstSeq, lastSeq, partNumber } = place;
  const order = { epoch, firstSeq, timeMicros: 77, incarnation: 0, position: partNumber, durableSeq: lastSeq };
  const spanBytes = builder.finish(order, batchMagic.aggregatePart);
  const header = getBatchHeader(bytes, 0, batchMagic.aggregatePart) as BatchHeader;
  putBatchHeader(bytes, 0, { ...header, ...change });
  return bytes.subarray(0, spanBytes);
}

function read(bytes: Buffer): ReturnType<typeof aggregatePartRecords> {
  const header = getAggregatePartHeader(bytes, 0) as AggregatePartHeader;
  expect(hasSoundHeads(bytes, 0, header.batch)).toBe(true);
  return aggregatePartRecords(bytes, 0, header);
}

const end = { type: aggregate, volume: 0, blockCount: 0, extra: { records: 16, bytes: 4096 } };

test("a part is read as it was made", () => {
  const [part] = wireAggregate({
    ...place,
    timeMicros: 77,
    ranges: [
      { volume: 2, startBlock: 5, blockCount: 9 },
      { volume: 1, startBlock: 0, blockCount: 2 ** 28, type: zero },
    ],
    runs: [
      { startBlock: 3, payload: payloadOf(1, 2) },
      { startBlock: 5, payload: payloadOf(2, 1) },
      { volume: 2, startBlock: 0, payload: payloadOf(3, 1) },
    ],
    folded: { records: 16, bytes: 81_920 },
  }) as [Buffer];
  expect(getAggregatePartHeader(part, 0)).toMatchObject({ ...place, partNumber: 0 });
  const records = read(part) ?? [];
  expect(records.map(({ type, volume, startBlock, blockCount }) => [type, volume, startBlock, blockCount])).toEqual([
    [trim, 2, 5, 9],
    [zero, 1, 0, 2 ** 28],
    [write, 1, 3, 2],
    [write, 1, 5, 1],
    [write, 2, 0, 1],
    [aggregate, 0, 0, 0],
  ]);
  expect(records.every(({ seq, epoch, timeMicros }) => seq === 25 && epoch === 3 && timeMicros === 77)).toBe(true);
  const last = records.at(-1);
  expect(last === undefined ? undefined : foldedFigures(part, last)).toEqual({ records: 16, bytes: 81_920 });
});

describe("a part is not believed", () => {
  test.each<[string, readonly Partial<NewRecord & { extra: object }>[]]>([
    ["with a record that is never folded", [{ type: mark, volume: 0, blockCount: 0, extra: { name: "a" } }]],
    ["with a flush", [{ type: flush, volume: 1, blockCount: 0 }]],
    ["with a trim behind a write", [{}, { type: trim, startBlock: 9 }]],
    ["with writes that are not in order", [{ startBlock: 9 }, { startBlock: 8 }]],
    ["with writes over each other", [{ startBlock: 8, blockCount: 2 }, { startBlock: 9 }]],
    ["with volumes that are not in order", [{ volume: 2 }, { volume: 1, startBlock: 9 }]],
    ["with a record behind its end", [end, {}]],
    ["with two ends", [end, end]],
    ["with an end that says nothing", [{ ...end, extra: {} }]],
    ["with an end that says no number", [{ ...end, extra: { records: -1, bytes: "many" } }]],
    ["with an end that is of a volume", [{ ...end, volume: 1 }]],
    ["with a write of the group", [{ volume: 0 }]],
    ["with a trim of nothing", [{ type: trim, blockCount: 0 }]],
    ["with an ordinal", [{ ordinal: 5 }]],
    ["with a trim that says more", [{ type: trim, extra: { why: "no" } }]],
  ])("%s", (_, records) => {
    expect(read(forged(records))).toBeUndefined();
  });

  test.each<[string, Partial<BatchHeader>]>([
    ["that ends before it begins", { durableSeq: 9 }],
    ["that stands for no record", { firstSeq: 0 }],
    ["of a log", { incarnation: 7 }],
    ["that ends beyond all seqs", { durableSeq: Number.MAX_SAFE_INTEGER }],
    ["of another kind", { magic: batchMagic.records }],
  ])("%s", (_, change) => {
    expect(getAggregatePartHeader(forged([{}]), 0)).toBeDefined();
    expect(getAggregatePartHeader(forged([{}], change), 0)).toBeUndefined();
  });
});

test("a part is full when a batch is, and always has room for the end", () => {
  const builder = new AggregatePartBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  const checksums = Buffer.alloc(256 * checksumBytes);
  builder.begin(buffer, 0);
  expect(builder.hasRoomFor(256)).toBe(true);
  builder.addWrite({ volume: 1, startBlock: 0, blockCount: 200 }, Buffer.alloc(200 * blockBytes), 0, checksums, 0);
  expect([builder.hasRoomFor(56), builder.hasRoomFor(57), builder.hasRoomFor(0)]).toEqual([true, false, true]);
  builder.begin(buffer, 0);
  for (let index = 0; index < batchRecordCountMax - 1; index++) {
    builder.addRange(trim, { volume: 1, startBlock: 0, blockCount: 1 });
  }
  expect(builder.hasRoomFor(0)).toBe(true);
  builder.addCommit({ records: aggregateRecordsMax, bytes: Number.MAX_SAFE_INTEGER });
  expect(builder.hasRoomFor(0)).toBe(false);
});

test("a payload that lies in its place already is taken as it is", () => {
  const builder = new AggregatePartBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  builder.begin(buffer, 0);
  const payload = payloadOf(5, 1);
  const checksums = Buffer.alloc(checksumBytes);
  payload.copy(buffer, builder.payloadAt);
  putChecksum(payload, 0, blockBytes, checksums, 0);
  builder.addWrite({ volume: 1, startBlock: 4, blockCount: 1 }, buffer, builder.payloadAt, checksums, 0);
  builder.addCommit({ records: 1, bytes: 4096 });
  const spanBytes = builder.finish({ ...place, partNumber: 0, timeMicros: 77 });
  const runs = [{ startBlock: 4, payload }];
  const [same] = wireAggregate({ ...place, timeMicros: 77, runs, folded: { records: 1, bytes: 4096 } });
  expect(buffer.subarray(0, spanBytes).equals(same as Buffer)).toBe(true);
});

test("a builder adds nothing in another order than that of an aggregate", () => {
  const builder = new AggregatePartBuilder();
  builder.begin(Buffer.alloc(batchBytesMax), 0);
  builder.addWrite({ volume: 2, startBlock: 4, blockCount: 1 }, Buffer.alloc(blockBytes), 0, Buffer.alloc(8), 0);
  const add = (volume: number, startBlock: number) => () =>
    builder.addWrite({ volume, startBlock, blockCount: 1 }, Buffer.alloc(blockBytes), 0, Buffer.alloc(8), 0);
  expect(add(2, 4)).toThrow(/by volume and block/);
  expect(add(1, 9)).toThrow(/by volume and block/);
  expect(() => builder.addRange(trim, { volume: 1, startBlock: 0, blockCount: 1 })).toThrow(/come first/);
  expect(add(2, 5)).not.toThrow();
});
