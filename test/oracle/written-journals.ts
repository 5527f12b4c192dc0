/** Small journals, made by the product's own writers of the formats, for the readers of the tests to be tried with. */
import fs from "node:fs";
import { join } from "node:path";
import { batchBytesMax, logFileHeaderBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { MetadataAggregate } from "#src/journals/metadata-aggregate.ts";
import { MetadataBatchBuilder } from "#src/journals/metadata-batch.ts";
import { encodeSumsHeader, putSum, sumPosition } from "#src/journals/sums-format.ts";
import { addressOf } from "#src/records/address.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { putStamp, stampedBytes } from "./block-stamp.ts";

export const writtenGroup = "00112233445566778899aabbccddeeff";
const incarnation = 0xdecade;
const volume = 1;
const segment = 3;

export interface WrittenRecord {
  readonly type: number;
  readonly startBlock?: number;
  readonly blockCount?: number;
  readonly extra?: object;
  /** Of its stamps, where it is not the record's seq. */
  readonly number?: number;
}

export interface WrittenBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly durableSeq: number;
  readonly records: readonly WrittenRecord[];
  /** At the remote the records are an aggregate, up to here. */
  readonly lastSeq?: number;
}

/** The stamp's number is the record's seq, unless it says another. */
function payloadOf(record: WrittenRecord, seq: number): Buffer {
  const blockCount = record.type === recordType.write ? (record.blockCount ?? 0) : 0;
  const bytes = Buffer.alloc(blockCount * stampedBytes);
  for (let index = 0; index < blockCount; index++) {
    putStamp(bytes, index * stampedBytes, {
      volume,
      block: (record.startBlock ?? 0) + index,
      number: record.number ?? seq,
    });
  }
  return bytes;
}

function newFile(magic: number, releasedSeq: number): Buffer {
  const bytes = Buffer.alloc(logFileHeaderBytes);
  const place = { basePosition: 0, fullBytes: 2 ** 20, firstSeq: releasedSeq + 1, releasedSeq };
  const header = { group: writtenGroup, incarnation, ...place };
  putLogFileHeader(bytes, 0, { magic, ...header });
  return bytes;
}

function headOf(record: WrittenRecord, ordinal: number) {
  const { type, startBlock = 0, blockCount = 0 } = record;
  return { type, volume, startBlock, blockCount, ordinal };
}

/** Answers where each batch begins in the file. */
export function writeSpool(path: string, batches: readonly WrittenBatch[], releasedSeq = 0): number[] {
  const pieces = [newFile(logFileMagic.spool, releasedSeq)];
  const starts: number[] = [];
  let position = logFileHeaderBytes;
  for (const { epoch, firstSeq, durableSeq, records } of batches) {
    const builder = new BatchBuilder();
    const buffer = Buffer.alloc(batchBytesMax);
    builder.begin(buffer, 0);
    for (const [index, record] of records.entries()) {
      const head = headOf(record, firstSeq + index);
      if (record.type === recordType.write) builder.addWrite(head, payloadOf(record, firstSeq + index), 0);
      else builder.add(head, record.extra === undefined ? Buffer.alloc(0) : encodeExtra(record.extra));
    }
    const span = builder.finish({ epoch, firstSeq, timeMicros: firstSeq * 10, incarnation, position, durableSeq });
    starts.push(position);
    pieces.push(Buffer.from(buffer.subarray(0, span)));
    position += span;
  }
  fs.writeFileSync(path, Buffer.concat([...pieces, Buffer.alloc(8192)]));
  return starts;
}

/** Metadata, data and sums of the same records. */
export function writeRemote(folder: string, batches: readonly WrittenBatch[]): void {
  const pieces = [newFile(logFileMagic.metadata, 0)];
  const blocks: Buffer[] = [];
  let position = logFileHeaderBytes;
  for (const batch of batches) {
    const bytes =
      batch.lastSeq === undefined ? metadataOf(batch, position, blocks) : aggregateOf(batch, position, blocks);
    position += bytes.length;
    pieces.push(bytes);
  }
  fs.writeFileSync(join(folder, "0.piece"), Buffer.concat(pieces));
  writeSegment(folder, blocks);
}

function metadataOf(
  { epoch, firstSeq, durableSeq, records }: WrittenBatch,
  position: number,
  blocks: Buffer[],
): Buffer {
  const builder = new MetadataBatchBuilder();
  for (const [index, record] of records.entries()) {
    const seq = firstSeq + index;
    const { entry, extra } = landed(record, seq, blocks);
    builder.add({ ...headOf(record, seq), ...entry, seq, epoch, timeMicros: firstSeq * 10 }, extra, 0);
  }
  const bytes = Buffer.alloc(builder.spanBytes);
  builder.finish({ incarnation, position, durableSeq }, bytes, 0);
  return bytes;
}

function aggregateOf(batch: WrittenBatch, position: number, blocks: Buffer[]): Buffer {
  const { epoch, firstSeq, lastSeq: seq = firstSeq, durableSeq, records } = batch;
  const aggregate = new MetadataAggregate(epoch, firstSeq, seq);
  for (const record of [...records, { type: recordType.aggregate, extra: { records: seq - firstSeq + 1, bytes: 0 } }]) {
    const { entry, extra } = landed(record, seq, blocks);
    aggregate.add({ ...headOf(record, 0), ...entry, seq, epoch, timeMicros: firstSeq * 10 }, extra, 0);
  }
  const bytes = Buffer.alloc(aggregate.spanBytes);
  aggregate.putBatch(0, { incarnation, position, durableSeq }, bytes, 0);
  return bytes;
}

/** Its payload comes to lie behind the blocks that are there. */
function landed(record: WrittenRecord, seq: number, blocks: Buffer[]) {
  const payload = payloadOf(record, seq);
  const address = payload.length === 0 ? 0 : addressOf(segment, blocks.length);
  for (let at = 0; at < payload.length; at += stampedBytes) blocks.push(payload.subarray(at, at + stampedBytes));
  const extra = record.extra === undefined ? Buffer.alloc(0) : encodeExtra(record.extra);
  return { entry: { address, level: 0, extraBytes: extra.length }, extra };
}

function writeSegment(folder: string, blocks: readonly Buffer[]): void {
  fs.writeFileSync(join(folder, "3.data"), Buffer.concat(blocks));
  const sums = Buffer.alloc(sumPosition(blocks.length));
  encodeSumsHeader({ group: writtenGroup, segment, level: 0 }).copy(sums);
  const checksum = Buffer.alloc(8);
  for (const [slot, block] of blocks.entries()) {
    putChecksum(block, 0, block.length, checksum, 0);
    putSum(sums, sumPosition(slot), checksum, 0, volume, addressOf(segment, slot));
  }
  fs.writeFileSync(join(folder, "3.sums"), sums);
}
