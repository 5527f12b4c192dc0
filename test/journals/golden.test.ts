/** The bytes of each version of the journals' formats, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { MetadataBatchBuilder, metadataRecords } from "#src/journals/metadata-batch.ts";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import {
  decodeSumsHeader,
  encodeSumsHeader,
  isSumFor,
  putSum,
  sumBytes,
  sumPosition,
  sumsHeaderBytes,
} from "#src/journals/sums-format.ts";
import { addressOf } from "#src/records/address.ts";
import { batchMagic, getBatchHeader, hasSoundHeads } from "#src/records/batch.ts";
import { getLogFileHeader, logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import { decodeExtra, encodeExtra, recordType } from "#src/records/record.ts";

const group = "00112233445566778899aabbccddeeff";

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

const entry: MetadataEntry = {
  type: recordType.write,
  volume: 3,
  seq: 2 ** 40 + 5,
  timeMicros: 1_700_000_000_123_456,
  startBlock: 2 ** 33 + 1,
  address: addressOf(2 ** 35 + 7, 65_000),
  blockCount: 200,
  epoch: 9,
  ordinal: 2 ** 34 + 3,
  level: 0,
  extraBytes: 0,
};
const extra = encodeExtra({ name: "before the upgrade" });
const mark: MetadataEntry = {
  ...entry,
  type: recordType.mark,
  seq: entry.seq + 1,
  startBlock: 0,
  address: 0,
  blockCount: 0,
  ordinal: 0,
  extraBytes: extra.length,
};
const place = { incarnation: 0xc0ffee01, position: 2 ** 36 + 512, durableSeq: 2 ** 40 };

test("a metadata batch has the bytes that it always had", () => {
  const builder = new MetadataBatchBuilder();
  builder.add(entry, extra, 0);
  builder.add(mark, extra, 0);
  const bytes = Buffer.alloc(builder.spanBytes);
  builder.finish(place, bytes, 0);
  expect(bytes.toString("hex")).toBe(golden("metadata-batch-v1.bin").toString("hex"));
});

test("a metadata batch of version 1 can be read", () => {
  const bytes = golden("metadata-batch-v1.bin");
  const header = getBatchHeader(bytes, 0, batchMagic.metadata);
  if (header === undefined || !hasSoundHeads(bytes, 0, header)) return expect.unreachable("it is sound");
  expect(header).toMatchObject({ ...place, epoch: 9, firstSeq: entry.seq, recordCount: 2 });
  const records = metadataRecords(bytes, 0, header);
  expect(records).toEqual([
    { ...entry, extraAt: 64 + 128 },
    { ...mark, extraAt: 64 + 128 },
  ]);
  expect(decodeExtra(bytes.subarray(192, 192 + extra.length))).toEqual({ name: "before the upgrade" });
});

const pieceHeader = {
  magic: logFileMagic.metadata,
  group,
  incarnation: place.incarnation,
  basePosition: 2 ** 36,
  fullBytes: 2 ** 26,
  firstSeq: entry.seq,
  releasedSeq: 0,
};

test("a piece's header has the bytes that it always had, and can be read", () => {
  const bytes = Buffer.alloc(logFileHeaderBytes);
  putLogFileHeader(bytes, 0, pieceHeader);
  expect(bytes.toString("hex")).toBe(golden("metadata-piece-header-v1.bin").toString("hex"));
  expect(getLogFileHeader(golden("metadata-piece-header-v1.bin"), logFileMagic.metadata)).toEqual({
    kind: "sound",
    header: pieceHeader,
  });
});

test("sums have the bytes that they always had, and can be read", () => {
  const bytes = Buffer.alloc(sumPosition(2));
  const segment = 2 ** 35 + 7;
  encodeSumsHeader({ group, segment, level: 0 }).copy(bytes);
  const checksum = Buffer.from("0123456789abcdef", "hex");
  putSum(bytes, sumPosition(1), checksum, 0, 3, addressOf(segment, 1));
  expect(bytes.toString("hex")).toBe(golden("segment-sums-v1.bin").toString("hex"));
  const read = golden("segment-sums-v1.bin");
  expect(decodeSumsHeader(read.subarray(0, sumsHeaderBytes), "sums")).toEqual({ group, segment, level: 0 });
  const at = sumPosition(1);
  expect(read.subarray(at, at + 8)).toEqual(checksum);
  expect(isSumFor(read, at, 3, addressOf(segment, 1))).toBe(true);
});

test("a bond holds for one volume at one place only", () => {
  const read = golden("segment-sums-v1.bin");
  const segment = 2 ** 35 + 7;
  const at = sumPosition(1);
  expect(sumBytes).toBe(16);
  for (const [volume, address] of [
    [2, addressOf(segment, 1)],
    [3, addressOf(segment, 2)],
    [3, addressOf(segment + 1, 1)],
    [3, addressOf(7, 1)],
  ] as const) {
    expect(isSumFor(read, at, volume, address)).toBe(false);
  }
});

test("sums of another version are refused in words, damaged ones are damage", () => {
  const other = Buffer.from(golden("segment-sums-v1.bin").subarray(0, sumsHeaderBytes));
  other[24] = 9;
  expect(() => decodeSumsHeader(other, "sums")).toThrow(expect.objectContaining({ name: "StopError" }));
  const newer = encodeSumsHeader({ group, segment: 1, level: 0 });
  newer[4] = 2;
  expect(() => decodeSumsHeader(newer, "sums")).toThrow(/damaged/);
  putChecksum(newer, 0, 56, newer, 56);
  expect(() => decodeSumsHeader(newer, "sums")).toThrow(/version 2/);
});
