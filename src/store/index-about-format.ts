/** What an index says of itself: of which store it is, which index, and how often it was changed. docs/formats.md has the table. */
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { hasChecksum, putChecksum } from "#src/host/checksum.ts";

export const indexAboutBytes = 64;
export const indexIdentityBytes = 16;
export const indexVersion = 1;
const magic = 0x58494d54; // "TMIX"
const restAt = 48;
const sumAt = 56;

export interface IndexAbout {
  /** 16 bytes each. */
  readonly store: Buffer;
  readonly identity: Buffer;
  readonly changeCount: number;
}

export function encodeIndexAbout(about: IndexAbout): Buffer {
  const bytes = Buffer.alloc(indexAboutBytes);
  putLe32(bytes, 0, magic);
  putLe16(bytes, 4, indexVersion);
  about.store.copy(bytes, 8);
  about.identity.copy(bytes, 24);
  putLe64(bytes, 40, about.changeCount);
  putChecksum(bytes, 0, sumAt, bytes, sumAt);
  return bytes;
}

/** Or in words why it is none. */
export function decodeIndexAbout(bytes: Buffer): IndexAbout | string {
  if (bytes.length !== indexAboutBytes || getLe32(bytes, 0) !== magic) return "it does not say what it is";
  if (!hasChecksum(bytes, 0, sumAt, bytes, sumAt)) return "what it says of itself is damaged";
  if (getLe16(bytes, 4) !== indexVersion)
    return `it has version ${getLe16(bytes, 4)}, and this program knows ${indexVersion}`;
  if (getLe16(bytes, 6) !== 0 || getLe64(bytes, restAt) !== 0) return "what is reserved in it is not 0";
  return {
    store: Buffer.from(bytes.subarray(8, 24)),
    identity: Buffer.from(bytes.subarray(24, 40)),
    changeCount: getLe64(bytes, 40),
  };
}
