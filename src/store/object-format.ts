/**
 * The header and the footer of an object (docs/formats.md). Between them lie its parts, without gaps: see `part.ts`.
 *
 * Invariants, checked by the decoders:
 * - `objectHeaderBytes <= tableAt`, and `tableAt + tableBytes + objectFooterBytes === sizeBytes`: the table is the last part;
 * - header and footer of one object have the same salt, and what is reserved is 0.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes, hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { ObjectDamageError } from "./object-damage.ts";
import type { ObjectName } from "./objects.ts";
import { partHeaderBytes } from "./part.ts";

export const objectHeaderBytes = 128;
export const objectFooterBytes = 128;
export const saltBytes = 16;
/** What the footer has for the numbers of each kind of object. */
export const kindNumbersBytes = 64;

export const objectKind = { segment: 1, piece: 2, snapshot: 3 } as const;
export type ObjectKind = (typeof objectKind)[keyof typeof objectKind];

/** Which object it is, whoever wrote it and when. */
export interface ObjectIdentity {
  readonly kind: ObjectKind;
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** Of a segment its number, of a piece its first seq. */
  readonly number: number;
  readonly generation: number;
}

/** As it is asked for: a segment's number is its own in all the store, so nobody need know whose it is. */
export interface WantedObject extends Omit<ObjectIdentity, "group"> {
  readonly group: string | undefined;
}

export interface ObjectFacts extends ObjectIdentity {
  readonly level: number;
}

export interface ObjectHeader extends ObjectFacts {
  readonly isEncrypted: boolean;
  readonly salt: Buffer;
}

export interface ObjectFooter {
  readonly sizeBytes: number;
  readonly tableAt: number;
  /** With its part's header. */
  readonly tableBytes: number;
  readonly salt: Buffer;
  readonly timeMicros: number;
  /** `kindNumbersBytes` of them; what they mean is up to the kind. */
  readonly kindNumbers: Buffer;
}

/** "TMOB" and "TMOE". */
const headerMagic = 0x424f4d54;
const footerMagic = 0x454f4d54;
const version = 1;
const encryptedFlag = 1;
const headerAt = { magic: 0, version: 4, kind: 6, flags: 7, group: 8, number: 24, generation: 32, level: 36, salt: 40 };
const headerReservedAt = headerAt.salt + saltBytes;
const footerAt = {
  magic: 0,
  version: 4,
  reserved: 6,
  sizeBytes: 8,
  tableAt: 16,
  tableBytes: 24,
  reservedToo: 28,
  salt: 32,
  timeMicros: 48,
  kindNumbers: 56,
};
/** In both. */
const checksumAt = 120;

/** What of the header stands in it before the salt: it says which object it is. */
export const headerIdentityBytes = headerAt.salt;

assert(footerAt.kindNumbers + kindNumbersBytes === checksumAt, "the numbers fill the footer");
assert(checksumAt + checksumBytes === objectHeaderBytes, "the checksum ends the header,");
assert(checksumAt + checksumBytes === objectFooterBytes, "and the footer");

export function encodeObjectHeader(header: ObjectHeader): Buffer {
  assert(header.group.length === 32 && header.salt.length === saltBytes, "both have 16 bytes");
  assert(Number.isSafeInteger(header.number) && header.number >= 0, "an object's number is a number");
  const bytes = Buffer.alloc(objectHeaderBytes);
  putLe32(bytes, headerAt.magic, headerMagic);
  putLe16(bytes, headerAt.version, version);
  bytes[headerAt.kind] = header.kind;
  bytes[headerAt.flags] = header.isEncrypted ? encryptedFlag : 0;
  bytes.write(header.group, headerAt.group, 16, "hex");
  putLe64(bytes, headerAt.number, header.number);
  putLe32(bytes, headerAt.generation, header.generation);
  putLe32(bytes, headerAt.level, header.level);
  header.salt.copy(bytes, headerAt.salt);
  putChecksum(bytes, 0, checksumAt, bytes, checksumAt);
  return bytes;
}

/** Throws an `ObjectDamageError`, or a `RefuseError` for what another version has written. */
export function decodeObjectHeader(bytes: Buffer, name: ObjectName): ObjectHeader {
  checkFrame(bytes, headerMagic, name, "header");
  const kind = bytes[headerAt.kind] as number;
  const flags = bytes[headerAt.flags] as number;
  const number = getLe64(bytes, headerAt.number);
  if (!isKind(kind)) throw new ObjectDamageError(name, "header", `there is no kind ${kind} of objects`);
  if ((flags & ~encryptedFlag) !== 0 || !isZero(bytes, headerReservedAt, checksumAt))
    throw reservedInUse(name, "header");
  if (number > Number.MAX_SAFE_INTEGER) throw new ObjectDamageError(name, "header", "its number is none");
  return {
    kind,
    isEncrypted: flags === encryptedFlag,
    group: bytes.toString("hex", headerAt.group, headerAt.group + 16),
    number,
    generation: getLe32(bytes, headerAt.generation),
    level: getLe32(bytes, headerAt.level),
    salt: copied(bytes, headerAt.salt, saltBytes),
  };
}

/** Of what may be an object's header and footer, or pieces of them: either begins as it has to. */
export function hasObjectMagic(header: Buffer, footer: Buffer): boolean {
  const begins = (bytes: Buffer, magic: number): boolean => bytes.length >= 4 && getLe32(bytes, 0) === magic;
  return begins(header, headerMagic) || begins(footer, footerMagic);
}

export function encodeObjectFooter(footer: ObjectFooter): Buffer {
  assert(footer.salt.length === saltBytes && footer.kindNumbers.length === kindNumbersBytes, "both fit into it");
  assert(areExtentsSound(footer), "the table is the last part");
  const bytes = Buffer.alloc(objectFooterBytes);
  putLe32(bytes, footerAt.magic, footerMagic);
  putLe16(bytes, footerAt.version, version);
  putLe64(bytes, footerAt.sizeBytes, footer.sizeBytes);
  putLe64(bytes, footerAt.tableAt, footer.tableAt);
  putLe32(bytes, footerAt.tableBytes, footer.tableBytes);
  footer.salt.copy(bytes, footerAt.salt);
  putLe64(bytes, footerAt.timeMicros, footer.timeMicros);
  footer.kindNumbers.copy(bytes, footerAt.kindNumbers);
  putChecksum(bytes, 0, checksumAt, bytes, checksumAt);
  return bytes;
}

/** Throws an `ObjectDamageError`, or a `RefuseError` for what another version has written. */
export function decodeObjectFooter(bytes: Buffer, name: ObjectName): ObjectFooter {
  checkFrame(bytes, footerMagic, name, "footer");
  if (getLe16(bytes, footerAt.reserved) !== 0 || getLe32(bytes, footerAt.reservedToo) !== 0) {
    throw reservedInUse(name, "footer");
  }
  const footer = {
    sizeBytes: getLe64(bytes, footerAt.sizeBytes),
    tableAt: getLe64(bytes, footerAt.tableAt),
    tableBytes: getLe32(bytes, footerAt.tableBytes),
    salt: copied(bytes, footerAt.salt, saltBytes),
    timeMicros: getLe64(bytes, footerAt.timeMicros),
    kindNumbers: copied(bytes, footerAt.kindNumbers, kindNumbersBytes),
  };
  if (!areExtentsSound(footer)) throw new ObjectDamageError(name, "footer", "its table is not where a table can be");
  return footer;
}

/** Whether a footer of the object with this salt was written there, in whatever state it is. */
export function isFooterThere(bytes: Buffer, salt: Buffer): boolean {
  if (bytes.length !== objectFooterBytes) return false;
  return getLe32(bytes, 0) === footerMagic || bytes.subarray(footerAt.salt, footerAt.salt + saltBytes).equals(salt);
}

function areExtentsSound({ sizeBytes, tableAt, tableBytes, timeMicros }: Omit<ObjectFooter, "salt">): boolean {
  return (
    timeMicros <= Number.MAX_SAFE_INTEGER &&
    tableAt >= objectHeaderBytes &&
    tableBytes >= partHeaderBytes &&
    tableAt + tableBytes + objectFooterBytes === sizeBytes
  );
}

/** What header and footer have in common. */
function checkFrame(bytes: Buffer, magic: number, name: ObjectName, thing: "header" | "footer"): void {
  if (bytes.length !== objectHeaderBytes) throw new ObjectDamageError(name, thing, "it is not all there");
  if (getLe32(bytes, 0) !== magic) throw new ObjectDamageError(name, thing, `it is no ${thing} of an object`);
  const found = getLe16(bytes, headerAt.version);
  if (found !== version && !isOursButForVersion(bytes)) {
    throw new RefuseError(
      `${name} has version ${found}, and this program reads version ${version}: use the program that wrote it`,
    );
  }
  if (!hasChecksum(bytes, 0, checksumAt, bytes, checksumAt)) {
    throw new ObjectDamageError(name, thing, "its checksum does not fit");
  }
}

/** A later version may have its checksum elsewhere, and need not be sound to be believed; but this would be too much of chance. */
function isOursButForVersion(bytes: Buffer): boolean {
  const mended = Buffer.from(bytes);
  putLe16(mended, headerAt.version, version);
  return hasChecksum(mended, 0, checksumAt, mended, checksumAt);
}

export function objectKindName(kind: ObjectKind): string {
  return Object.entries(objectKind).find(([, value]) => value === kind)?.[0] as string;
}

function isKind(value: number): value is ObjectKind {
  return Object.values<number>(objectKind).includes(value);
}

function reservedInUse(name: ObjectName, thing: "header" | "footer"): ObjectDamageError {
  return new ObjectDamageError(name, thing, "something stands where nothing should");
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

function copied(bytes: Buffer, at: number, byteLength: number): Buffer {
  return Buffer.from(bytes.subarray(at, at + byteLength));
}
