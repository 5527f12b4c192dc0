/**
 * One ordered event of a group, and how its head lies in a batch (docs/formats.md). A record's epoch and seq are those
 * of its batch: the records of a batch follow each other.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes, recordExtraBytesMax, recordHeadBytes, recordPayloadBytesMax } from "#src/core/limits.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes } from "#src/host/checksum.ts";

/** The numbers are part of every format; they are never given out twice. */
export const recordType = {
  write: 1,
  trim: 2,
  zero: 3,
  flush: 4,
  mark: 5,
  mode: 6,
  level: 7,
  resize: 8,
  aggregate: 9,
  epoch: 10,
  clock: 11,
  resyncBegin: 12,
  resyncEnd: 13,
  initialComplete: 14,
  /** A volume joins the group: its id, name and size, so that journals can be read without anything else. */
  volume: 15,
} as const;

export type RecordType = (typeof recordType)[keyof typeof recordType];

const names = new Map<number, string>(Object.entries(recordType).map(([name, type]) => [type, name]));

export function recordTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

export function isRecordType(type: number): type is RecordType {
  return names.has(type);
}

/** Volumes are counted from 1 within their group; 0 stands for the group as a whole. */
export const wholeGroup = 0;

export interface RecordHead {
  readonly type: number;
  readonly volume: number;
  /** Microseconds since 1970. Never less than that of the record before. */
  readonly timeMicros: number;
  readonly startBlock: number;
  /** Blocks touched; with `write` as many blocks of payload and as many checksums. */
  readonly blockCount: number;
  /** Counts what the volume's interceptor handed over, from 1 on; 0 for records of the appliance itself. */
  readonly ordinal: number;
  /** Bytes behind the checksums: the JSON text of what only some types have, filled up with zeros. */
  readonly extraBytes: number;
}

/** Where the parts of a head lie, from its start. */
const at = { type: 0, reserved: 1, extraBytes: 2, volume: 4, time: 8, startBlock: 16, ordinal: 24, blockCount: 32 };
export const recordTimeAt = at.time;

/** It says what its blocks hold from then on. */
export function isOfBlocks(type: number): boolean {
  return type === recordType.write || type === recordType.trim || type === recordType.zero;
}

export function hasPayload(type: number): boolean {
  return type === recordType.write;
}

export function payloadBytesOf(head: RecordHead): number {
  return hasPayload(head.type) ? head.blockCount * blockBytes : 0;
}

/** The head with its checksums and its extra part. */
export function headBytesOf(head: RecordHead): number {
  return recordHeadBytes + (hasPayload(head.type) ? head.blockCount * checksumBytes : 0) + head.extraBytes;
}

/** Extra parts are whole multiples of eight, so that heads stay aligned. */
export function encodeExtra(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const extra = Buffer.alloc(Math.ceil(text.length / 8) * 8);
  text.copy(extra);
  assert(extra.length <= recordExtraBytesMax, "what a record says is short");
  return extra;
}

/** Undefined: the bytes are no JSON object. */
export function decodeExtra(bytes: Buffer): Record<string, unknown> | undefined {
  const end = bytes.indexOf(0);
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8", 0, end < 0 ? bytes.length : end));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said by the answer.
  }
  return undefined;
}

export function putRecordHead(bytes: Buffer, start: number, head: RecordHead): void {
  assert(isRecordType(head.type) && head.extraBytes % 8 === 0, "only what can be read is written");
  bytes[start + at.type] = head.type;
  bytes[start + at.reserved] = 0;
  putLe16(bytes, start + at.extraBytes, head.extraBytes);
  putLe32(bytes, start + at.volume, head.volume);
  putLe64(bytes, start + at.time, head.timeMicros);
  putLe64(bytes, start + at.startBlock, head.startBlock);
  putLe64(bytes, start + at.ordinal, head.ordinal);
  putLe32(bytes, start + at.blockCount, head.blockCount);
  putLe32(bytes, start + at.blockCount + 4, 0);
}

// Parts of a head that lies in memory, for whoever goes through many and needs no more of them.

export function recordTypeIn(bytes: Buffer, headAt: number): number {
  return bytes[headAt + at.type] as number;
}

export function volumeIn(bytes: Buffer, headAt: number): number {
  return getLe32(bytes, headAt + at.volume);
}

export function recordTimeIn(bytes: Buffer, headAt: number): number {
  return getLe64(bytes, headAt + at.time);
}

export function startBlockIn(bytes: Buffer, headAt: number): number {
  return getLe64(bytes, headAt + at.startBlock);
}

export function blockCountIn(bytes: Buffer, headAt: number): number {
  return getLe32(bytes, headAt + at.blockCount);
}

/** The head with its checksums and its extra part. */
export function headBytesIn(bytes: Buffer, headAt: number): number {
  const checksumsBytes = hasPayload(recordTypeIn(bytes, headAt)) ? blockCountIn(bytes, headAt) * checksumBytes : 0;
  return recordHeadBytes + checksumsBytes + getLe16(bytes, headAt + at.extraBytes);
}

/** Undefined: no record of this version lies there. Whether it fits into what holds it is for the caller to see. */
export function getRecordHead(bytes: Buffer, start: number): RecordHead | undefined {
  const head = {
    type: bytes[start + at.type] as number,
    extraBytes: getLe16(bytes, start + at.extraBytes),
    volume: getLe32(bytes, start + at.volume),
    timeMicros: getLe64(bytes, start + at.time),
    startBlock: getLe64(bytes, start + at.startBlock),
    ordinal: getLe64(bytes, start + at.ordinal),
    blockCount: getLe32(bytes, start + at.blockCount),
  };
  const isKnown = isRecordType(head.type) && bytes[start + at.reserved] === 0;
  const numbers = [head.timeMicros, head.startBlock + head.blockCount, head.ordinal];
  if (!isKnown || numbers.some((number) => number > Number.MAX_SAFE_INTEGER)) return undefined;
  if (head.extraBytes % 8 !== 0 || head.extraBytes > recordExtraBytesMax) return undefined;
  if (payloadBytesOf(head) > recordPayloadBytesMax) return undefined;
  if (hasPayload(head.type) && head.blockCount === 0) return undefined;
  return head;
}
