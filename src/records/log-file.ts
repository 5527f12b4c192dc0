/**
 * The header of a file of a log, a spool segment or a metadata piece (docs/formats.md): for whom the file was written,
 * and which positions of the log it holds. It is one sector, so a power cut leaves the old one or the new one.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes, hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { turnBitBack } from "#src/host/turned-bit.ts";

/** The kinds of log by the first four bytes of their files. */
export const logFileMagic = {
  /** "TMSP" */
  spool: 0x50534d54,
  /** "TMMP" */
  metadata: 0x504d4d54,
} as const;

const version = 1;

export interface LogFileHeader {
  readonly magic: number;
  /** Hexadecimal. */
  readonly group: string;
  readonly incarnation: number;
  /** The position of the file's first byte. */
  readonly basePosition: number;
  readonly fullBytes: number;
  /** The seq after the last one before this file. Where an epoch begins with the file, its first record has a later one. */
  readonly firstSeq: number;
  /** What was released when the header was written: a file that held nothing beyond this may be gone. */
  readonly releasedSeq: number;
}

const at = {
  magic: 0,
  version: 4,
  reserved: 6,
  group: 8,
  incarnation: 24,
  reservedToo: 28,
  basePosition: 32,
  fullBytes: 40,
  firstSeq: 48,
  releasedSeq: 56,
  checksum: 64,
};
const groupBytes = 16;
/** Behind these there are zeros. */
const spokenBytes = at.checksum + checksumBytes;

export function putLogFileHeader(bytes: Buffer, start: number, header: LogFileHeader): void {
  const group = Buffer.from(header.group, "hex");
  assert(group.length === groupBytes, "a group has sixteen bytes");
  assert(header.basePosition % header.fullBytes === 0, "a file begins at a multiple of its size");
  bytes.fill(0, start, start + logFileHeaderBytes);
  putLe32(bytes, start + at.magic, header.magic);
  putLe16(bytes, start + at.version, version);
  group.copy(bytes, start + at.group);
  putLe32(bytes, start + at.incarnation, header.incarnation);
  putLe64(bytes, start + at.basePosition, header.basePosition);
  putLe64(bytes, start + at.fullBytes, header.fullBytes);
  putLe64(bytes, start + at.firstSeq, header.firstSeq);
  putLe64(bytes, start + at.releasedSeq, header.releasedSeq);
  putChecksum(bytes, start, start + at.checksum, bytes, start + at.checksum);
}

/** What lies where a header should be. */
export type FoundLogFile =
  | { readonly kind: "sound"; readonly header: LogFileHeader }
  /** Never written: zeros, or an empty file. */
  | { readonly kind: "blank" }
  | { readonly kind: "broken" }
  | { readonly kind: "otherKind" }
  | { readonly kind: "otherVersion"; readonly version: number };

/**
 * `bytes`: the first `logFileHeaderBytes` of a file, or as many as it has. One bit that was turned is turned back first: there
 * may be records behind it that were promised, and that nothing else says to be durable.
 */
export function getLogFileHeader(bytes: Buffer, magic: number): FoundLogFile {
  if (bytes.every((byte) => byte === 0)) return { kind: "blank" };
  if (bytes.length < logFileHeaderBytes) return { kind: "broken" };
  const spoken = bytes.subarray(0, spokenBytes);
  const sound = isSound(spoken) ? spoken : turnedBack(spoken);
  if (sound === undefined) return { kind: "broken" };
  return decode(sound, magic, isClear(bytes.subarray(spokenBytes, logFileHeaderBytes)));
}

/** The checksum vouches for the version too, and stands there in every version: so a version that has turned is damage. */
function isSound(spoken: Buffer): boolean {
  return hasChecksum(spoken, 0, at.checksum, spoken, at.checksum);
}

/** Undefined: it is more than one bit that makes it differ from what was written. */
function turnedBack(spoken: Buffer): Buffer | undefined {
  const turned = Buffer.from(spoken);
  return turnBitBack(turned, spokenBytes, isSound) ? turned : undefined;
}

/** But for one bit at most. */
function isClear(rest: Buffer): boolean {
  const set = rest.filter((byte) => byte !== 0);
  const [byte = 0] = set;
  return set.length <= 1 && (byte & (byte - 1)) === 0;
}

function decode(bytes: Buffer, magic: number, isRestClear: boolean): FoundLogFile {
  const foundVersion = getLe16(bytes, at.version);
  if (getLe32(bytes, at.magic) !== magic) return { kind: "otherKind" };
  if (foundVersion !== version) return { kind: "otherVersion", version: foundVersion };
  const header = {
    magic,
    group: bytes.toString("hex", at.group, at.group + groupBytes),
    incarnation: getLe32(bytes, at.incarnation),
    basePosition: getLe64(bytes, at.basePosition),
    fullBytes: getLe64(bytes, at.fullBytes),
    firstSeq: getLe64(bytes, at.firstSeq),
    releasedSeq: getLe64(bytes, at.releasedSeq),
  };
  const isReservedClear = getLe16(bytes, at.reserved) === 0 && getLe32(bytes, at.reservedToo) === 0;
  return isReservedClear && isRestClear && isBounded(header) ? { kind: "sound", header } : { kind: "broken" };
}

function isBounded({ basePosition, fullBytes, firstSeq, releasedSeq }: LogFileHeader): boolean {
  const isSized = fullBytes > logFileHeaderBytes && basePosition % fullBytes === 0;
  const ends = [basePosition + fullBytes, firstSeq, releasedSeq];
  return isSized && firstSeq >= 1 && ends.every((end) => end <= Number.MAX_SAFE_INTEGER);
}

/** The header of a file of this log; undefined where the file is blank or its header is broken. Refuses all others. */
export function ownLogFileHeader(
  path: string,
  found: FoundLogFile,
  log: { readonly group: string; readonly incarnation: number },
): LogFileHeader | undefined {
  switch (found.kind) {
    case "blank":
    case "broken":
      return undefined;
    case "otherKind":
      throw new RefuseError(`${path} is a file of another kind of log`);
    case "otherVersion":
      throw unknownLogFileVersion(path, found.version);
    case "sound":
      break;
  }
  const { header } = found;
  if (header.group !== log.group) throw new RefuseError(`${path} belongs to the group ${header.group}`);
  if (header.incarnation !== log.incarnation) {
    throw new RefuseError(`${path} belongs to another log of this group, ${incarnationName(header.incarnation)}`);
  }
  return header;
}

export function unknownLogFileVersion(path: string, found: number): RefuseError {
  return new RefuseError(
    `${path} has version ${found}, and this program reads version ${version}: use the program that wrote it`,
  );
}

export function incarnationName(incarnation: number): string {
  return incarnation.toString(16).padStart(8, "0");
}
