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

/** Where the parts of an entry lie. */
export const entryAt = {
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
  bytes[start + entryAt.type] = entry.type;
  bytes[start + entryAt.reserved] = 0;
  putLe16(bytes, start + entryAt.extraBytes, entry.extraBytes);
  putLe32(bytes, start + entryAt.volume, entry.volume);
  putLe64(bytes, start + entryAt.seq, entry.seq);
  putLe64(bytes, start + entryAt.time, entry.timeMicros);
  putLe64(bytes, start + entryAt.startBlock, entry.startBlock);
  putLe64(bytes, start + entryAt.address, entry.address);
  putLe32(bytes, start + entryAt.blockCount, entry.blockCount);
  putLe32(bytes, start + entryAt.epoch, entry.epoch);
  putLe64(bytes, start + entryAt.ordinal, entry.ordinal);
  putLe32(bytes, start + entryAt.level, entry.level);
  putLe32(bytes, start + entryAt.reservedEnd, 0);
}

/** An entry with where its extra part lies. */
export interface MetadataRecord extends MetadataEntry {
  readonly extraAt: number;
}

/** Undefined: what lies there is no entry of this version. */
export function getMetadataRecord(bytes: Buffer, start: number, extraAt: number): MetadataRecord | undefined {
  const entry = {
    type: bytes[start + entryAt.type] as number,
    volume: getLe32(bytes, start + entryAt.volume),
    seq: getLe64(bytes, start + entryAt.seq),
    timeMicros: getLe64(bytes, start + entryAt.time),
    startBlock: getLe64(bytes, start + entryAt.startBlock),
    address: getLe64(bytes, start + entryAt.address),
    blockCount: getLe32(bytes, start + entryAt.blockCount),
    epoch: getLe32(bytes, start + entryAt.epoch),
    ordinal: getLe64(bytes, start + entryAt.ordinal),
    level: getLe32(bytes, start + entryAt.level),
    extraBytes: getLe16(bytes, start + entryAt.extraBytes),
    extraAt,
  };
  const isReservedZero = bytes[start + entryAt.reserved] === 0 && getLe32(bytes, start + entryAt.reservedEnd) === 0;
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
  const isExtraBounded = entry.extraBytes % 8 === 0 && entry.extraBytes <= recordExtraBytesMax;
  return isExtraBounded && isFittingPlace(entry.type, blockCount, address, slotOf(address));
}

/** What has a payload lies within one segment, and nothing else lies anywhere. `slot`: of the address. */
export function isFittingPlace(type: number, blockCount: number, address: number, slot: number): boolean {
  if (!hasPayload(type)) return address === holeAddress;
  const isBounded = blockCount >= 1 && blockCount * blockBytes <= recordPayloadBytesMax;
  return isBounded && address >= slotsPerSegment && slot + blockCount <= slotsPerSegment;
}
