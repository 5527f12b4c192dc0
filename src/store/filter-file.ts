/**
 * The filter of an index, kept while nobody has the index open, so that it need not be made anew of all keys. It says of
 * which index it is, and after which change: what says anything else, or is not whole, is left alone. docs/formats.md has
 * the table.
 */
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { hasChecksum, putChecksum } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { FingerprintFilter, isFilterShape } from "./fingerprint-filter.ts";

export const filterHeaderBytes = 64;
const magic = 0x46494d54; // "TMIF"
const version = 1;
const contentSumAt = 48;
const sumAt = 56;
/** What is read or written at a time: the system takes less than 2 GiB. */
const pieceBytes = 2 ** 24;

export interface KeptFilter {
  readonly filter: FingerprintFilter;
  /** Of the index, 16 bytes. */
  readonly identity: Buffer;
  readonly changeCount: number;
  /** How many keys were added to it. */
  readonly keyCount: number;
}

/** Not synced: after a loss of power its checksums tell whether it is whole. */
export function writeFilter(files: Files, path: string, kept: KeptFilter): void {
  const content = bytesOf(kept.filter.words);
  const unpublished = path + unpublishedEnding;
  if (files.exists(unpublished)) files.remove(unpublished);
  const handle = files.create(unpublished);
  try {
    handle.writeNow(encodeHeader(kept, content), 0, filterHeaderBytes, 0);
    for (let at = 0; at < content.length; at += pieceBytes) {
      handle.writeNow(content, at, Math.min(pieceBytes, content.length - at), filterHeaderBytes + at);
    }
  } finally {
    handle.close();
  }
  files.rename(unpublished, path);
}

/** Undefined: there is none of this index after this change that is whole, and of at most so many bytes. */
export function readFilter(
  files: Files,
  path: string,
  { identity, changeCount, bytesMax }: { identity: Buffer; changeCount: number; bytesMax: number },
): KeptFilter | undefined {
  if (!files.exists(path)) return undefined;
  const handle = files.open(path, "read");
  try {
    const kept = readWhole(handle, bytesMax);
    return kept?.identity.equals(identity) && kept.changeCount === changeCount ? kept : undefined;
  } finally {
    handle.close();
  }
}

function readWhole(handle: FileHandle, bytesMax: number): KeptFilter | undefined {
  const header = Buffer.alloc(filterHeaderBytes);
  const headerCount = handle.readNow(header, 0, filterHeaderBytes, 0);
  if (headerCount < filterHeaderBytes || !hasChecksum(header, 0, sumAt, header, sumAt)) return undefined;
  if (getLe32(header, 0) !== magic || getLe16(header, 4) !== version || header[7] !== 0) return undefined;
  const bitsSet = header[6] as number;
  const byteLength = getLe64(header, 40);
  if (byteLength > bytesMax || handle.sizeBytesNow() !== filterHeaderBytes + byteLength) return undefined;
  if (!isFilterShape(byteLength, bitsSet)) return undefined;
  const words = new Uint32Array(byteLength / 4);
  const content = bytesOf(words);
  for (let at = 0; at < content.length; at += pieceBytes) {
    const count = Math.min(pieceBytes, content.length - at);
    if (handle.readNow(content, at, count, filterHeaderBytes + at) < count) return undefined;
  }
  if (!hasChecksum(content, 0, content.length, header, contentSumAt)) return undefined;
  return {
    filter: new FingerprintFilter(words, bitsSet),
    identity: Buffer.from(header.subarray(8, 24)),
    changeCount: getLe64(header, 24),
    keyCount: getLe64(header, 32),
  };
}

function encodeHeader({ filter, identity, changeCount, keyCount }: KeptFilter, content: Buffer): Buffer {
  const header = Buffer.alloc(filterHeaderBytes);
  putLe32(header, 0, magic);
  putLe16(header, 4, version);
  header[6] = filter.bitsSet;
  identity.copy(header, 8);
  putLe64(header, 24, changeCount);
  putLe64(header, 32, keyCount);
  putLe64(header, 40, content.length);
  putChecksum(content, 0, content.length, header, contentSumAt);
  putChecksum(header, 0, sumAt, header, sumAt);
  return header;
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}
