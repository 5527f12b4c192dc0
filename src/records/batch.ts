/**
 * A batch: consecutive records of a group that are checked, written and sent as one. It lies in memory, in the spool and
 * on the wire in the same form:
 *
 *     header (64) | payloads, in the records' order | heads, in the same order | zeros up to a multiple of 512
 *
 * The header binds the batch to its place; the checksum of the heads covers the checksums of all payload blocks, and
 * these cover the payload. The metadata journal uses the same header over its own kind of heads, without payload.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp } from "#src/core/byte-range.ts";
import {
  batchAlignmentBytes,
  batchHeaderBytes,
  batchHeadsBytesMax,
  batchPayloadBytesMax,
  batchRecordCountMax,
  blockBytes,
  recordHeadBytes,
} from "#src/core/limits.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes, hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { getRecordHead, headBytesOf, payloadBytesOf, type RecordHead, recordTimeAt } from "./record.ts";

/** The kinds of batch by their first four bytes. */
export const batchMagic = {
  /** Records with payload: "TMB1". */
  records: 0x31424d54,
  /** A part of an aggregate, on the wire: "TMA1". */
  aggregatePart: 0x31414d54,
  /** The metadata journal's: "TMM1". */
  metadata: 0x314d4d54,
  /** A batch of an aggregate in the metadata journal: "TMN1". */
  metadataAggregate: 0x314e4d54,
} as const;

export interface BatchHeader {
  readonly magic: number;
  readonly recordCount: number;
  readonly payloadBytes: number;
  readonly headsBytes: number;
  readonly epoch: number;
  readonly firstSeq: number;
  /** Of the log it is written to: chosen by chance when that was made, so that no other log's batches pass for its own. */
  readonly incarnation: number;
  /** Where the batch begins in its log. */
  readonly position: number;
  /** What was durable in its log when it was written: damage up to there is damage, beyond it may be a tail. */
  readonly durableSeq: number;
}

const at = {
  magic: 0,
  recordCount: 4,
  reserved: 6,
  payloadBytes: 8,
  headsBytes: 12,
  epoch: 16,
  incarnation: 20,
  firstSeq: 24,
  position: 32,
  durableSeq: 40,
  headsChecksum: 48,
  headerChecksum: 56,
};

/** All bytes of the batch that mean something. */
export function batchBytes(header: BatchHeader): number {
  return batchHeaderBytes + header.payloadBytes + header.headsBytes;
}

/** With the zeros behind: what it takes in a log. */
export function batchSpanBytes(header: BatchHeader): number {
  return alignUp(batchBytes(header), batchAlignmentBytes);
}

export function lastSeqOf(header: BatchHeader): number {
  return header.firstSeq + header.recordCount - 1;
}

/** The time of the first record of a sound batch of records; all of a batch have the same. */
export function batchTimeMicros(bytes: Buffer, start: number, header: BatchHeader): number {
  return getLe64(bytes, start + batchHeaderBytes + header.payloadBytes + recordTimeAt);
}

/** Writes header and checksums of a batch whose payloads and heads are already in place. */
export function putBatchHeader(bytes: Buffer, start: number, header: BatchHeader): void {
  assert(
    header.recordCount > 0 && header.recordCount <= batchRecordCountMax,
    "a batch has a bounded number of records",
  );
  assert(start + batchBytes(header) <= bytes.length, "a batch lies within its buffer");
  putLe32(bytes, start + at.magic, header.magic);
  putLe16(bytes, start + at.recordCount, header.recordCount);
  putLe16(bytes, start + at.reserved, 0);
  putLe32(bytes, start + at.payloadBytes, header.payloadBytes);
  putLe32(bytes, start + at.headsBytes, header.headsBytes);
  putLe32(bytes, start + at.epoch, header.epoch);
  putLe32(bytes, start + at.incarnation, header.incarnation);
  putLe64(bytes, start + at.firstSeq, header.firstSeq);
  putLe64(bytes, start + at.position, header.position);
  putLe64(bytes, start + at.durableSeq, header.durableSeq);
  const headsAt = start + batchHeaderBytes + header.payloadBytes;
  putChecksum(bytes, headsAt, headsAt + header.headsBytes, bytes, start + at.headsChecksum);
  putChecksum(bytes, start, start + at.headerChecksum, bytes, start + at.headerChecksum);
}

/** Binds a batch anew to another place of another log; its heads and payloads stay as they are. */
export function rebindBatch(
  bytes: Buffer,
  start: number,
  incarnation: number,
  position: number,
  durableSeq: number,
): void {
  putLe32(bytes, start + at.incarnation, incarnation);
  putLe64(bytes, start + at.position, position);
  putLe64(bytes, start + at.durableSeq, durableSeq);
  putChecksum(bytes, start, start + at.headerChecksum, bytes, start + at.headerChecksum);
}

/** Of a batch that this program has made: nothing is checked. */
export function batchEpochAt(bytes: Buffer, start: number): number {
  return getLe32(bytes, start + at.epoch);
}

export function batchPositionAt(bytes: Buffer, start: number): number {
  return getLe64(bytes, start + at.position);
}

/** Undefined: no whole and sound header of this kind and version lies there. Needs `batchHeaderBytes` bytes. */
export function getBatchHeader(bytes: Buffer, start: number, magic: number): BatchHeader | undefined {
  if (start + batchHeaderBytes > bytes.length || getLe32(bytes, start + at.magic) !== magic) return undefined;
  if (!hasChecksum(bytes, start, start + at.headerChecksum, bytes, start + at.headerChecksum)) return undefined;
  const header = {
    magic,
    recordCount: getLe16(bytes, start + at.recordCount),
    payloadBytes: getLe32(bytes, start + at.payloadBytes),
    headsBytes: getLe32(bytes, start + at.headsBytes),
    epoch: getLe32(bytes, start + at.epoch),
    incarnation: getLe32(bytes, start + at.incarnation),
    firstSeq: getLe64(bytes, start + at.firstSeq),
    position: getLe64(bytes, start + at.position),
    durableSeq: getLe64(bytes, start + at.durableSeq),
  };
  const isBounded =
    header.recordCount > 0 &&
    header.recordCount <= batchRecordCountMax &&
    header.payloadBytes <= batchPayloadBytesMax &&
    header.headsBytes <= batchHeadsBytesMax &&
    header.firstSeq + header.recordCount <= Number.MAX_SAFE_INTEGER &&
    header.position <= Number.MAX_SAFE_INTEGER;
  return isBounded ? header : undefined;
}

/** Whether the heads are the ones that the header was written for. */
export function hasSoundHeads(bytes: Buffer, start: number, header: BatchHeader): boolean {
  const headsAt = start + batchHeaderBytes + header.payloadBytes;
  return headsAt + header.headsBytes <= bytes.length && areHeadsOf(bytes, start, header, bytes, headsAt);
}

/** The same where the heads lie by themselves, at `headsAt` in `heads`; the header's bytes at `start`. */
export function areHeadsOf(bytes: Buffer, start: number, header: BatchHeader, heads: Buffer, headsAt: number): boolean {
  return hasChecksum(heads, headsAt, headsAt + header.headsBytes, bytes, start + at.headsChecksum);
}

/** A record within a batch that lies in memory. Positions count from the start of the buffer. */
export interface BatchRecord extends RecordHead {
  readonly seq: number;
  readonly epoch: number;
  readonly headAt: number;
  /** The checksum of the record's first block, if it has payload. */
  readonly checksumsAt: number;
  readonly extraAt: number;
  readonly payloadAt: number;
  readonly payloadBytes: number;
}

/**
 * The records of a batch whose heads were found sound; undefined if what they say does not add up. The payload is not
 * looked at: `hasSoundPayload` does that.
 */
export function batchRecords(bytes: Buffer, start: number, header: BatchHeader): BatchRecord[] | undefined {
  return recordsFrom(bytes, start, header, header.firstSeq, 1);
}

/** The same for a batch whose records' seqs do not count up from its first one: `seqStep` lies between two of them. */
export function recordsFrom(
  bytes: Buffer,
  start: number,
  header: BatchHeader,
  firstSeq: number,
  seqStep: 0 | 1,
): BatchRecord[] | undefined {
  const records: BatchRecord[] = [];
  const headsAt = start + batchHeaderBytes + header.payloadBytes;
  const end = headsAt + header.headsBytes;
  let headAt = headsAt;
  let payloadAt = start + batchHeaderBytes;
  for (let index = 0; index < header.recordCount; index++) {
    const head = headAt + recordHeadBytes <= end ? getRecordHead(bytes, headAt) : undefined;
    if (head === undefined || headAt + headBytesOf(head) > end) return undefined;
    const payloadBytes = payloadBytesOf(head);
    if (payloadAt + payloadBytes > headsAt) return undefined;
    const seq = firstSeq + index * seqStep;
    const checksumsAt = headAt + recordHeadBytes;
    const extraAt = headAt + headBytesOf(head) - head.extraBytes;
    records.push({ ...head, seq, epoch: header.epoch, headAt, checksumsAt, extraAt, payloadAt, payloadBytes });
    headAt += headBytesOf(head);
    payloadAt += payloadBytes;
  }
  return headAt === end && payloadAt === headsAt ? records : undefined;
}

/** Whether each block of the record's payload is the one that was written. */
export function hasSoundPayload(bytes: Buffer, record: BatchRecord): boolean {
  let checksumAt = record.checksumsAt;
  const end = record.payloadAt + record.payloadBytes;
  for (let blockAt = record.payloadAt; blockAt < end; blockAt += blockBytes) {
    if (!hasChecksum(bytes, blockAt, blockAt + blockBytes, bytes, checksumAt)) return false;
    checksumAt += checksumBytes;
  }
  return true;
}
