/**
 * The sums beside a data segment (docs/formats.md): for each slot the block's checksum, its volume, and a bond of these
 * with the place, so that an entry that is stale or lies elsewhere is found though its checksum fits its block.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes, hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { segmentMax, segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";

export const sumsHeaderBytes = 512;
/** Of the header; zeros are behind them. */
export const sumsHeaderSpokenBytes = 64;
export const sumBytes = 16;
export const sumsFileBytes = sumsHeaderBytes + slotsPerSegment * sumBytes;

/** "TMDS". */
const magic = 0x53444d54;
const version = 1;
const at = { magic: 0, version: 4, reserved: 6, group: 8, segment: 24, level: 32, reservedToo: 36, checksum: 56 };
const sumAt = { checksum: 0, volume: checksumBytes, bond: 12 };
assert(at.checksum + checksumBytes === sumsHeaderSpokenBytes, "the checksum ends what the header says");
const two32 = 2 ** 32;

export interface SumsHeader {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly segment: number;
  readonly level: number;
}

export function encodeSumsHeader(header: SumsHeader): Buffer {
  const bytes = Buffer.alloc(sumsHeaderBytes);
  putLe32(bytes, at.magic, magic);
  putLe16(bytes, at.version, version);
  bytes.write(header.group, at.group, 16, "hex");
  putLe64(bytes, at.segment, header.segment);
  putLe32(bytes, at.level, header.level);
  putChecksum(bytes, 0, at.checksum, bytes, at.checksum);
  return bytes;
}

/** It vouches for the version too, and stands there in every version: so a version that has turned is damage. */
export function hasSumsHeaderChecksum(bytes: Buffer): boolean {
  return hasChecksum(bytes, 0, at.checksum, bytes, at.checksum);
}

/** Throws a `StopError` for damage, a `RefuseError` for what another version has written. */
export function decodeSumsHeader(bytes: Buffer, path: string): SumsHeader {
  if (bytes.length < sumsHeaderBytes || getLe32(bytes, at.magic) !== magic) {
    throw new StopError(`${path} is damaged: it does not begin as the sums of a data segment do`);
  }
  if (!hasSumsHeaderChecksum(bytes)) throw new StopError(`${path} is damaged in its header`);
  if (getLe16(bytes, at.version) !== version) {
    throw new RefuseError(
      `${path} has version ${getLe16(bytes, at.version)}, and this program reads version ${version}: use the program that wrote it`,
    );
  }
  const segment = getLe64(bytes, at.segment);
  const isReservedZero =
    getLe16(bytes, at.reserved) === 0 && bytes.subarray(at.reservedToo, at.checksum).every((byte) => byte === 0);
  if (!isReservedZero || segment < 1 || segment > segmentMax) throw new StopError(`${path} is damaged in its header`);
  return { group: bytes.toString("hex", at.group, at.group + 16), segment, level: getLe32(bytes, at.level) };
}

/** Where a slot's entry lies in the file. */
export function sumPosition(slot: number): number {
  return sumsHeaderBytes + slot * sumBytes;
}

/** Writes the entry of the block at `address`, whose checksum lies at `checksumAt` in `source`. */
export function putSum(
  target: Buffer,
  start: number,
  source: Buffer,
  checksumAt: number,
  volume: number,
  address: number,
): void {
  for (let index = 0; index < checksumBytes; index++) {
    target[start + sumAt.checksum + index] = source[checksumAt + index] as number;
  }
  putLe32(target, start + sumAt.volume, volume);
  putLe32(target, start + sumAt.bond, bondOf(target, start, volume, address));
}

export function sumVolume(bytes: Buffer, start: number): number {
  return getLe32(bytes, start + sumAt.volume);
}

/** Whether the entry is the one that was written for this block of this volume at this place. */
export function isSumFor(bytes: Buffer, start: number, volume: number, address: number): boolean {
  return (
    getLe32(bytes, start + sumAt.volume) === volume &&
    getLe32(bytes, start + sumAt.bond) === bondOf(bytes, start, volume, address)
  );
}

function bondOf(bytes: Buffer, start: number, volume: number, address: number): number {
  const segment = segmentOf(address);
  let bond = mixed(getLe32(bytes, start + sumAt.checksum));
  bond = mixed(bond ^ getLe32(bytes, start + sumAt.checksum + 4));
  bond = mixed(bond ^ volume);
  bond = mixed(bond ^ (segment % two32));
  bond = mixed(bond ^ Math.floor(segment / two32));
  return mixed(bond ^ slotOf(address)) >>> 0;
}

/** The finalizer of MurmurHash3, behind an odd number so that zeros do not stay zeros. */
function mixed(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
