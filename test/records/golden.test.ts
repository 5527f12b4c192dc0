/**
 * The bytes of each version of each format, kept for ever. What is there is never changed: a reader that does not
 * understand it any more, or a writer that makes something else of the same, is at fault.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KiB } from "#src/core/limits.ts";
import {
  AggregatePartBuilder,
  type AggregatePartHeader,
  aggregatePartRecords,
  foldedFigures,
  getAggregatePartHeader,
} from "#src/records/aggregate-part.ts";
import {
  type BatchHeader,
  type BatchRecord,
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
} from "#src/records/batch.ts";
import { BatchBuilder, type BatchOrder } from "#src/records/batch-builder.ts";
import { getLogFileHeader, logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import { decodeExtra, encodeExtra, getRecordHead, putRecordHead, recordType } from "#src/records/record.ts";

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

const logFile = {
  magic: logFileMagic.spool,
  group: "00112233445566778899aabbccddeeff",
  incarnation: 0xfedcba98,
  basePosition: 0x3_0000_0000,
  fullBytes: 64 * KiB,
  firstSeq: 0x1f_1234_5678,
  releasedSeq: 0x1f_1234_0000,
};

test("the header of a log file, version 1", () => {
  const bytes = Buffer.alloc(512, 0xff);
  putLogFileHeader(bytes, 0, logFile);
  expect(bytes).toEqual(golden("log-file-header-v1.bin"));
  expect(getLogFileHeader(golden("log-file-header-v1.bin"), logFileMagic.spool)).toEqual({
    kind: "sound",
    header: logFile,
  });
});

const heads = Object.values(recordType).map((type) => ({
  type,
  volume: type * 3,
  timeMicros: 1_900_000_000_000_000 + type,
  startBlock: 0x10_0000_0000 + type,
  blockCount: type,
  ordinal: 0x12_3456_789a - type,
  extraBytes: type * 8,
}));

test("the heads of records of every type, version 1", () => {
  const bytes = Buffer.alloc(heads.length * 40, 0xff);
  for (const [index, head] of heads.entries()) putRecordHead(bytes, index * 40, head);
  expect(bytes).toEqual(golden("record-heads-v1.bin"));
  const read = heads.map((_, index) => getRecordHead(golden("record-heads-v1.bin"), index * 40));
  expect(read).toEqual(heads);
});

const order: BatchOrder = {
  epoch: 7,
  firstSeq: 0x1f_1234_5678,
  timeMicros: 1_900_000_000_000_001,
  incarnation: 0xfedcba98,
  position: 0x3_0000_0200,
  durableSeq: 0x1f_1234_5600,
};
const content = Buffer.alloc(8 * KiB, "every block of a volume is written down ");
const name = { name: "before the upgrade" };

function builtBatch(): Buffer {
  const bytes = Buffer.alloc(2048 * KiB, 0xff);
  const builder = new BatchBuilder();
  builder.begin(bytes, 0);
  builder.addWrite({ type: recordType.write, volume: 1, startBlock: 99, blockCount: 2, ordinal: 41 }, content, 0);
  builder.add({ type: recordType.trim, volume: 2, startBlock: 2 ** 40, blockCount: 12_345, ordinal: 7 });
  builder.add({ type: recordType.mark, volume: 0, startBlock: 0, blockCount: 0, ordinal: 0 }, encodeExtra(name));
  return bytes.subarray(0, builder.finish(order));
}

test("a batch of records, version 1, is written as ever", () => {
  expect(builtBatch()).toEqual(golden("batch-v1.bin"));
});

test("a batch of records, version 1, is read as ever", () => {
  const bytes = golden("batch-v1.bin");
  const header = getBatchHeader(bytes, 0, batchMagic.records) as BatchHeader;
  const { timeMicros, ...bound } = order;
  expect(header).toMatchObject({ ...bound, recordCount: 3, payloadBytes: 8 * KiB });
  expect([batchSpanBytes(header), hasSoundHeads(bytes, 0, header)]).toEqual([bytes.length, true]);
  const records = batchRecords(bytes, 0, header) ?? [];
  expect(
    records.map(({ type, volume, startBlock, blockCount, ordinal }) => [type, volume, startBlock, blockCount, ordinal]),
  )
    // As they were added.
    .toEqual([
      [recordType.write, 1, 99, 2, 41],
      [recordType.trim, 2, 2 ** 40, 12_345, 7],
      [recordType.mark, 0, 0, 0, 0],
    ]);
  expect(records.every((record) => record.timeMicros === timeMicros && hasSoundPayload(bytes, record))).toBe(true);
  const [write, , mark] = records;
  expect(bytes.subarray(write?.payloadAt, (write?.payloadAt ?? 0) + 8 * KiB)).toEqual(content);
  expect(decodeExtra(bytes.subarray(mark?.extraAt, (mark?.extraAt ?? 0) + (mark?.extraBytes ?? 0)))).toEqual(name);
});

const aggregatePlace = { epoch: 7, firstSeq: 0x1f_1234_5678, lastSeq: 0x1f_1234_9999, partNumber: 3 };
const folded = { records: 17_186, bytes: 0x1_0000_0000 };

function builtPart(): Buffer {
  const bytes = Buffer.alloc(2048 * KiB, 0xff);
  const checksums = Buffer.from("0123456789abcdeffedcba9876543210", "hex");
  const builder = new AggregatePartBuilder();
  builder.begin(bytes, 0);
  builder.addRange(recordType.zero, { volume: 2, startBlock: 2 ** 40, blockCount: 12_345 });
  builder.addWrite({ volume: 1, startBlock: 99, blockCount: 2 }, content, 0, checksums, 0);
  builder.addCommit(folded);
  return bytes.subarray(0, builder.finish({ ...aggregatePlace, timeMicros: order.timeMicros }));
}

test("a part of an aggregate, version 1, is written as ever", () => {
  expect(builtPart()).toEqual(golden("aggregate-part-v1.bin"));
});

test("a part of an aggregate, version 1, is read as ever", () => {
  const bytes = golden("aggregate-part-v1.bin");
  const header = getAggregatePartHeader(bytes, 0) as AggregatePartHeader;
  expect(header).toMatchObject(aggregatePlace);
  const records = aggregatePartRecords(bytes, 0, header) ?? [];
  expect(
    records.map(({ type, volume, startBlock, blockCount, seq }) => [type, volume, startBlock, blockCount, seq]),
  ).toEqual([
    [recordType.zero, 2, 2 ** 40, 12_345, aggregatePlace.lastSeq],
    [recordType.write, 1, 99, 2, aggregatePlace.lastSeq],
    [recordType.aggregate, 0, 0, 0, aggregatePlace.lastSeq],
  ]);
  expect(records.every(({ timeMicros, ordinal }) => timeMicros === order.timeMicros && ordinal === 0)).toBe(true);
  const [, write, end] = records as [BatchRecord, BatchRecord, BatchRecord];
  expect(bytes.toString("hex", write.checksumsAt, write.checksumsAt + 16)).toBe("0123456789abcdeffedcba9876543210");
  expect(bytes.subarray(write.payloadAt, write.payloadAt + 8 * KiB)).toEqual(content);
  expect(foldedFigures(bytes, end)).toEqual(folded);
});
