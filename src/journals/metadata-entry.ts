/** What the metadata journal keeps of a record: 64 bytes and the extra part (docs/formats.md). */
import { assert } from "#src/core/assert.ts";
import { blockBytes, levelSecondsMax, recordExtraBytesMax, recordPayloadBytesMax } from "#src/core/limits.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { holeAddress, slotOf, slotsPerSegment } from "#src/records/address.ts";
import { hasPayload, isRecordType } from "#src/records/record.ts";

export const metadataEntryBytes = 64;

export interface MetadataEntry {
  readonly type: number;
  readonly volume: number;
  readonly seq: number;
  readonly timeMicros: number;
  readonly startBlock: number;
  /** Of the first block of the payload; the others follow it. */
  readonly address: number;
  readonly blockCount: number;
  readonly epoch: number;
  readonly ordinal: number;
  /** The data journal that the payload is in: the seconds between its points, 0 for every write. */
  readonly level: number;
  readonly extraBytes: number;
}

const at = {
  type: 0,
  reserved: 1,
  extraBytes: 2,
  volume: 4,
  seq: 8,
  time: 16,
  startBlock: 24,
  address: 32,
  blockCount: 40,
  epoch: 44,
  ordinal: 48,
  level: 56,
  reservedEnd: 60,
};

export function putMetadataEntry(bytes: Buffer, start: number, entry: MetadataEntry): void {
  assert(hasPayload(entry.type) === (entry.address !== holeAddress), "a payload has an address, and nothing else has");
  bytes[start + at.type] = entry.type;
  bytes[start + at.reserved] = 0;
  putLe16(bytes, start + at.extraBytes, entry.extraBytes);
  putLe32(bytes, start + at.volume, entry.volume);
  putLe64(bytes, start + at.seq, entry.seq);
  putLe64(bytes, start + at.time, entry.timeMicros);
  putLe64(bytes, start + at.startBlock, entry.startBlock);
  putLe64(bytes, start + at.address, entry.address);
  putLe32(bytes, start + at.blockCount, entry.blockCount);
  putLe32(bytes, start + at.epoch, entry.epoch);
  putLe64(bytes, start + at.ordinal, entry.ordinal);
  putLe32(bytes, start + at.level, entry.level);
  putLe32(bytes, start + at.reservedEnd, 0);
}

/** An entry with where its extra part lies. */
export interface MetadataRecord extends MetadataEntry {
  readonly extraAt: number;
}

/** Undefined: what lies there is no entry of this version. */
export function getMetadataRecord(bytes: Buffer, start: number, extraAt: number): MetadataRecord | undefined {
  const entry = {
    type: bytes[start + at.type] as number,
    volume: getLe32(bytes, start + at.volume),
    seq: getLe64(bytes, start + at.seq),
    timeMicros: getLe64(bytes, start + at.time),
    startBlock: getLe64(bytes, start + at.startBlock),
    address: getLe64(bytes, start + at.address),
    blockCount: getLe32(bytes, start + at.blockCount),
    epoch: getLe32(bytes, start + at.epoch),
    ordinal: getLe64(bytes, start + at.ordinal),
    level: getLe32(bytes, start + at.level),
    extraBytes: getLe16(bytes, start + at.extraBytes),
    extraAt,
  };
  const isReservedZero = bytes[start + at.reserved] === 0 && getLe32(bytes, start + at.reservedEnd) === 0;
  return isReservedZero && isSoundEntry(entry) ? entry : undefined;
}

const countMax = Number.MAX_SAFE_INTEGER;

/** Whether it is one of this version. */
export function isSoundEntry(entry: MetadataEntry): boolean {
  const { seq, timeMicros, startBlock, blockCount, address, ordinal } = entry;
  // There are millions of them: nothing is made for each.
  const isCounting = seq <= countMax && timeMicros <= countMax && address <= countMax && ordinal <= countMax;
  if (!isCounting || startBlock + blockCount > countMax) return false;
  if (!isRecordType(entry.type) || entry.level > levelSecondsMax) return false;
  return entry.extraBytes % 8 === 0 && entry.extraBytes <= recordExtraBytesMax && hasFittingAddress(entry);
}

function hasFittingAddress(entry: MetadataEntry): boolean {
  if (!hasPayload(entry.type)) return entry.address === holeAddress;
  const isBounded = entry.blockCount >= 1 && entry.blockCount * blockBytes <= recordPayloadBytesMax;
  return isBounded && entry.address >= slotsPerSegment && slotOf(entry.address) + entry.blockCount <= slotsPerSegment;
}
