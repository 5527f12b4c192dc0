/**
 * A part of an object (docs/formats.md): the unit that is read, checked, compressed and encrypted.
 *
 * Invariants:
 * - the checksum is of all that lies behind it: what the part is, where it belongs, and its bytes as they are stored;
 * - the bond fits one offset in one object, so a part that lies anywhere else is found without knowing what was wanted;
 * - nothing is made of a part's bytes before the checksum fits, nor more than the part says and its reader has room for.
 */
import { assert } from "#src/core/assert.ts";
import { getLe16, getLe32, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { partBytesMax } from "#src/core/store-limits.ts";
import { checksumBytes, hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { compressedBytesMax, type PartCompression, partCompression } from "#src/host/part-compression.ts";
import { encryptionTagBytes, type PartEncryption } from "#src/host/part-encryption.ts";

export const partHeaderBytes = 32;

/** What a part holds is up to its object's kind; but for the table, by which each kind finds the rest. */
export const partType = { frame: 1, slots: 2, fingerprints: 3, table: 4, records: 5, extents: 6, nodes: 7 } as const;
export type PartType = (typeof partType)[keyof typeof partType];

export const partCodec = { asItIs: 0, zstd: 1 } as const;

export interface PartIdentity {
  readonly type: PartType;
  /** Among the parts of its type. */
  readonly number: number;
}

export interface PartPlace extends PartIdentity {
  /** In the object. */
  readonly offset: number;
  /** As it lies there, with its header. */
  readonly storedBytes: number;
}

/** A part as those who look for it know it: they may not know its number. */
export interface WantedPart extends Omit<PartPlace, "number"> {
  readonly number?: number;
}

/** What a header says that was not checked yet. */
export interface PartHead {
  readonly type: number;
  readonly codec: number;
  readonly number: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

export type PartFinding =
  | "it is not all there"
  | "its checksum does not fit"
  | "it belongs elsewhere"
  | "it is another part"
  | "it says of itself what cannot be"
  | "it is longer than it may be"
  | "it was encrypted with another key, or changed by somebody who has none"
  | "it cannot be decompressed";

const at = { checksum: 0, type: 8, codec: 9, reserved: 10, followingBytes: 12, plainBytes: 16, number: 20, bond: 24 };
const nonceBytes = 12;
const two32 = 2 ** 32;
/** Less is not worth a decompression for each read. */
const savedMin = 1 / 16;

assert(at.checksum + checksumBytes === at.type, "what is summed lies in one piece behind its sum");

/** Room for a part while it is made; what it takes in the end is mostly less. */
export function partRoomBytes(plainBytes: number): number {
  return partHeaderBytes + compressedBytesMax(plainBytes) + encryptionTagBytes;
}

/** The most that a part takes as it is stored. */
export const partStoredBytesMax = partHeaderBytes + partBytesMax + encryptionTagBytes;

/** What a part is to hold, and what came of it when it was compressed. */
export interface PackedContent {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly packed: Buffer;
  readonly packedAt: number;
  readonly packedBytes: number;
}

function isWorthIt(packedBytes: number, plainBytes: number): boolean {
  return packedBytes < plainBytes * (1 - savedMin);
}

/** The bytes are there. */
export function partHeadAt(bytes: Buffer, start: number): PartHead {
  return {
    type: bytes[start + at.type] as number,
    codec: bytes[start + at.codec] as number,
    number: getLe32(bytes, start + at.number),
    storedBytes: partHeaderBytes + getLe32(bytes, start + at.followingBytes),
    plainBytes: getLe32(bytes, start + at.plainBytes),
  };
}

/** The parts of one object, to and fro. */
export class PartCodec {
  readonly #bondLow: number;
  readonly #bondHigh: number;
  readonly #encryption: PartEncryption | undefined;
  readonly #compression: PartCompression;
  readonly #nonce = Buffer.alloc(nonceBytes);

  constructor(salt: Buffer, encryption: PartEncryption | undefined, compression = partCompression()) {
    this.#bondLow = getLe32(salt, 0);
    this.#bondHigh = getLe32(salt, 4);
    this.#encryption = encryption;
    this.#compression = compression;
  }

  /**
   * Writes the part that `bytes` from `start` to `end` become into `target`, which has `partRoomBytes` of them left. It
   * will lie at `offset` in its object. Answers what it takes there.
   */
  encode(
    part: PartIdentity,
    offset: number,
    bytes: Buffer,
    start: number,
    end: number,
    target: Buffer,
    targetAt: number,
  ) {
    const plainBytes = end - start;
    assert(targetAt + partRoomBytes(plainBytes) <= target.length, "there is room for it");
    const contentAt = targetAt + partHeaderBytes;
    let contentBytes = plainBytes === 0 ? 0 : this.#compression.compress(bytes, start, end, target, contentAt);
    const isPacked = isWorthIt(contentBytes, plainBytes);
    if (!isPacked) contentBytes = bytes.copy(target, contentAt, start, end);
    return this.#finish(part, offset, isPacked, contentBytes, plainBytes, target, targetAt);
  }

  /** The same where somebody else has compressed it already. */
  encodePacked(part: PartIdentity, offset: number, content: PackedContent, target: Buffer, targetAt: number): number {
    const { bytes, start, end, packed, packedAt, packedBytes } = content;
    assert(targetAt + partRoomBytes(end - start) <= target.length, "there is room for it");
    const isPacked = isWorthIt(packedBytes, end - start);
    const contentAt = targetAt + partHeaderBytes;
    const contentBytes = isPacked
      ? packed.copy(target, contentAt, packedAt, packedAt + packedBytes)
      : bytes.copy(target, contentAt, start, end);
    return this.#finish(part, offset, isPacked, contentBytes, end - start, target, targetAt);
  }

  /** The content is in its place. */
  #finish(
    part: PartIdentity,
    offset: number,
    isPacked: boolean,
    contentBytes: number,
    plainBytes: number,
    target: Buffer,
    targetAt: number,
  ): number {
    assert(plainBytes >= 0 && plainBytes <= partBytesMax, "a part is not too long");
    const contentAt = targetAt + partHeaderBytes;
    const followingBytes = contentBytes + (this.#encryption === undefined ? 0 : encryptionTagBytes);
    target[targetAt + at.type] = part.type;
    target[targetAt + at.codec] = isPacked ? partCodec.zstd : partCodec.asItIs;
    putLe16(target, targetAt + at.reserved, 0);
    putLe32(target, targetAt + at.followingBytes, followingBytes);
    putLe32(target, targetAt + at.plainBytes, plainBytes);
    putLe32(target, targetAt + at.number, part.number);
    putLe32(target, targetAt + at.bond, this.#bondLow ^ (offset % two32));
    putLe32(target, targetAt + at.bond + 4, this.#bondHigh ^ Math.floor(offset / two32));
    this.#encryption?.encrypt(
      this.#nonceOf(offset),
      target.subarray(targetAt + at.type, contentAt),
      target,
      contentAt,
      contentAt + contentBytes,
    );
    const storedBytes = partHeaderBytes + followingBytes;
    putChecksum(target, targetAt + at.type, targetAt + storedBytes, target, targetAt);
    return storedBytes;
  }

  /** Whether a part of this object that lies at `offset` in it begins there, going by its bond alone. */
  beginsAt(bytes: Buffer, start: number, offset: number): boolean {
    return (
      getLe32(bytes, start + at.bond) === (this.#bondLow ^ (offset % two32)) >>> 0 &&
      getLe32(bytes, start + at.bond + 4) === (this.#bondHigh ^ Math.floor(offset / two32)) >>> 0
    );
  }

  /** What is wrong with the part at `start`, as far as can be said without a key and without knowing what was wanted. */
  findingAt(bytes: Buffer, start: number, end: number, offset: number): PartFinding | undefined {
    if (start + partHeaderBytes > end) return "it is not all there";
    const followingBytes = getLe32(bytes, start + at.followingBytes);
    const partEnd = start + partHeaderBytes + followingBytes;
    if (partEnd > end) return "it is not all there";
    if (!hasChecksum(bytes, start + at.type, partEnd, bytes, start)) return "its checksum does not fit";
    if (!this.beginsAt(bytes, start, offset)) return "it belongs elsewhere";
    const plainBytes = getLe32(bytes, start + at.plainBytes);
    const isSensible =
      isPartType(bytes[start + at.type] as number) &&
      (bytes[start + at.codec] as number) <= partCodec.zstd &&
      getLe16(bytes, start + at.reserved) === 0 &&
      plainBytes <= partBytesMax &&
      followingBytes <= plainBytes + encryptionTagBytes;
    return isSensible ? undefined : "it says of itself what cannot be";
  }

  /** The same, knowing what was wanted. */
  findingOf(wanted: WantedPart, bytes: Buffer, start: number, end: number): PartFinding | undefined {
    const finding = this.findingAt(bytes, start, end, wanted.offset);
    if (finding !== undefined) return finding;
    const isIt =
      bytes[start + at.type] === wanted.type &&
      (wanted.number === undefined || getLe32(bytes, start + at.number) === wanted.number) &&
      getLe32(bytes, start + at.followingBytes) + partHeaderBytes === wanted.storedBytes;
    return isIt ? undefined : "it is another part";
  }

  /**
   * Puts into `target` what the part at `start` held, with which nothing was found to be wrong before. Answers how many bytes
   * that are, or what is wrong; then anything may be in the target.
   */
  unpack(offset: number, bytes: Buffer, start: number, target: Buffer, targetAt: number): number | PartFinding {
    const plainBytes = getLe32(bytes, start + at.plainBytes);
    if (plainBytes > target.length - targetAt) return "it is longer than it may be";
    const contentAt = start + partHeaderBytes;
    const contentEnd = contentAt + getLe32(bytes, start + at.followingBytes);
    const isCompressed = bytes[start + at.codec] === partCodec.zstd;
    if (this.#encryption === undefined) {
      return this.#expand(isCompressed, bytes, contentAt, contentEnd, target, targetAt, plainBytes);
    }
    const tagAt = contentEnd - encryptionTagBytes;
    if (tagAt < contentAt) return "it says of itself what cannot be";
    const associated = bytes.subarray(start + at.type, contentAt);
    const content = this.#encryption.decrypt(this.#nonceOf(offset), associated, bytes, contentAt, tagAt);
    if (content === undefined) return "it was encrypted with another key, or changed by somebody who has none";
    return this.#expand(isCompressed, content, 0, content.length, target, targetAt, plainBytes);
  }

  #expand(
    isCompressed: boolean,
    content: Buffer,
    start: number,
    end: number,
    target: Buffer,
    targetAt: number,
    plainBytes: number,
  ): number | PartFinding {
    if (!isCompressed) {
      if (end - start !== plainBytes) return "it says of itself what cannot be";
      return content.copy(target, targetAt, start, end);
    }
    const isSound = this.#compression.decompress(content, start, end, target, targetAt, plainBytes);
    return isSound ? plainBytes : "it cannot be decompressed";
  }

  #nonceOf(offset: number): Buffer {
    putLe64(this.#nonce, 0, offset);
    return this.#nonce;
  }
}

const partTypes: ReadonlySet<number> = new Set(Object.values(partType));

export function isPartType(value: number): value is PartType {
  return partTypes.has(value);
}

export function partTypeName(type: number): string {
  const found = Object.entries(partType).find(([, value]) => value === type);
  return found?.[0] ?? `type ${type}`;
}

/** What the part held that lies at the beginning of `stored`, in memory of its own, or what is wrong with it. */
export function unpackedPart(codec: PartCodec, wanted: WantedPart, stored: Buffer, end: number): Buffer | PartFinding {
  const finding = codec.findingOf(wanted, stored, 0, end);
  if (finding !== undefined) return finding;
  const content = Buffer.allocUnsafeSlow(partHeadAt(stored, 0).plainBytes);
  const unpacked = codec.unpack(wanted.offset, stored, 0, content, 0);
  return typeof unpacked === "string" ? unpacked : content;
}
