/**
 * Reads batches as docs/formats.md describes them, apart from the product's own reader: header, heads, payloads and all
 * their checksums.
 */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";

export const magics = {
  records: 0x31424d54,
  metadata: 0x314d4d54,
  metadataAggregate: 0x314e4d54,
  spool: 0x50534d54,
  pieces: 0x504d4d54,
} as const;
const batchMagics: readonly number[] = [magics.records, magics.metadata, magics.metadataAggregate];
export const logHeaderBytes = 512;

const headerBytes = 64;
const headBytes = 40;
const entryBytes = 64;
const alignment = 512;

export interface FoundBatch {
  readonly magic: number;
  readonly epoch: number;
  readonly incarnation: number;
  readonly firstSeq: number;
  readonly recordCount: number;
  readonly position: number;
  readonly durableSeq: number;
  /** What it takes in its log. */
  readonly spanBytes: number;
  readonly headsAt: number;
  readonly payloadAt: number;
}

export interface FoundRecord {
  readonly seq: number;
  readonly epoch: number;
  readonly type: number;
  readonly volume: number;
  readonly time: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly ordinal: number;
  /** All of the head, as text: two records are the same when these are. */
  readonly identity: string;
  /** The checksum of each block of payload, as text. */
  readonly checksums: readonly string[];
  readonly extra: string;
  readonly payloadAt: number;
}

/** An entry of the metadata journal. */
export interface FoundEntry {
  readonly seq: number;
  readonly epoch: number;
  readonly type: number;
  readonly volume: number;
  readonly time: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly ordinal: number;
  readonly address: number;
  readonly extra: string;
}

export interface LogHeader {
  readonly magic: number;
  readonly group: string;
  readonly incarnation: number;
  readonly basePosition: number;
  readonly sizeBytes: number;
  /** Of a spool: what it need not have any more. */
  readonly releasedSeq: number;
}

/** Undefined: no log file begins with these bytes. */
export function logHeaderOf(bytes: Buffer): LogHeader | undefined {
  if (bytes.length < logHeaderBytes) return undefined;
  const magic = bytes.readUInt32LE(0);
  if (magic !== magics.spool && magic !== magics.pieces) return undefined;
  if (!hasChecksum(bytes, 0, 64, bytes, 64)) return undefined;
  return {
    magic,
    group: bytes.toString("hex", 8, 24),
    incarnation: bytes.readUInt32LE(24),
    basePosition: number64(bytes, 32),
    sizeBytes: number64(bytes, 40),
    releasedSeq: number64(bytes, 56),
  };
}

/** Undefined: no whole and sound batch lies there. */
export function batchAt(bytes: Buffer, start: number): FoundBatch | undefined {
  if (start + headerBytes > bytes.length) return undefined;
  const magic = bytes.readUInt32LE(start);
  if (!batchMagics.includes(magic)) return undefined;
  if (!hasChecksum(bytes, start, start + 56, bytes, start + 56)) return undefined;
  const payloadBytes = bytes.readUInt32LE(start + 8);
  const headsBytes = bytes.readUInt32LE(start + 12);
  const headsAt = start + headerBytes + payloadBytes;
  const end = headsAt + headsBytes;
  if (end > bytes.length || !hasChecksum(bytes, headsAt, end, bytes, start + 48)) return undefined;
  return {
    magic,
    recordCount: bytes.readUInt16LE(start + 4),
    epoch: bytes.readUInt32LE(start + 16),
    incarnation: bytes.readUInt32LE(start + 20),
    firstSeq: number64(bytes, start + 24),
    position: number64(bytes, start + 32),
    durableSeq: number64(bytes, start + 40),
    spanBytes: Math.ceil((end - start) / alignment) * alignment,
    headsAt,
    payloadAt: start + headerBytes,
  };
}

/** Undefined: a payload is not what its head says. */
export function recordsOf(bytes: Buffer, batch: FoundBatch): FoundRecord[] | undefined {
  const records: FoundRecord[] = [];
  let headAt = batch.headsAt;
  let payloadAt = batch.payloadAt;
  for (let index = 0; index < batch.recordCount; index++) {
    const type = bytes[headAt] as number;
    const blockCount = bytes.readUInt32LE(headAt + 32);
    const payloadBlocks = type === 1 ? blockCount : 0;
    const extraAt = headAt + headBytes + payloadBlocks * checksumBytes;
    const end = extraAt + bytes.readUInt16LE(headAt + 2);
    const checksums: string[] = [];
    for (let block = 0; block < payloadBlocks; block++) {
      const blockAt = payloadAt + block * blockBytes;
      const checksumAt = headAt + headBytes + block * checksumBytes;
      if (!hasChecksum(bytes, blockAt, blockAt + blockBytes, bytes, checksumAt)) return undefined;
      checksums.push(bytes.toString("latin1", checksumAt, checksumAt + checksumBytes));
    }
    records.push({
      seq: batch.firstSeq + index,
      epoch: batch.epoch,
      type,
      volume: bytes.readUInt32LE(headAt + 4),
      time: number64(bytes, headAt + 8),
      startBlock: number64(bytes, headAt + 16),
      ordinal: number64(bytes, headAt + 24),
      blockCount,
      identity: bytes.toString("latin1", headAt, end),
      checksums,
      extra: text(bytes, extraAt, end),
      payloadAt,
    });
    headAt = end;
    payloadAt += payloadBlocks * blockBytes;
  }
  return records;
}

export function entriesOf(bytes: Buffer, batch: FoundBatch): FoundEntry[] {
  const entries: FoundEntry[] = [];
  let extraAt = batch.headsAt + batch.recordCount * entryBytes;
  for (let index = 0; index < batch.recordCount; index++) {
    const at = batch.headsAt + index * entryBytes;
    const extraEnd = extraAt + bytes.readUInt16LE(at + 2);
    entries.push({
      type: bytes[at] as number,
      volume: bytes.readUInt32LE(at + 4),
      seq: number64(bytes, at + 8),
      time: number64(bytes, at + 16),
      startBlock: number64(bytes, at + 24),
      address: number64(bytes, at + 32),
      blockCount: bytes.readUInt32LE(at + 40),
      epoch: bytes.readUInt32LE(at + 44),
      ordinal: number64(bytes, at + 48),
      extra: text(bytes, extraAt, extraEnd),
    });
    extraAt = extraEnd;
  }
  return entries;
}

function number64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function text(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("utf8", start, end).replace(/\0+$/, "");
}
