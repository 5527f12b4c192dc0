/** The sealed piece of a metadata journal (docs/formats.md): its name, what its footer says, and by what the next one knows it. */
import { createHash } from "node:crypto";
import { assert } from "#src/core/assert.ts";
import { getLe32, getLe64, putLe32, putLe64 } from "#src/core/little-endian.ts";
import type { ObjectFile } from "#src/store/object-file.ts";
import {
  encodeObjectFooter,
  encodeObjectHeader,
  kindNumbersBytes,
  type ObjectIdentity,
  objectKind,
} from "#src/store/object-format.ts";
import type { ObjectName } from "#src/store/objects.ts";

export const pieceHashBytes = 32;

export interface SealedPieceIdentity {
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** The first that its first record stands for. */
  readonly firstSeq: number;
  /** Of one that was folded of others; absent: it was sealed of the journal. */
  readonly folded?: FoldedIdentity;
}

/** A folded piece takes the place of all whose records it stands for, and which have a lower generation. */
export interface FoldedIdentity {
  readonly lastSeq: number;
  /** One more than the highest of those that it takes the place of; from 1 on. */
  readonly generation: number;
}

const folder = "pieces/";
const seqDigits = 16;
const generationDigits = 4;
export const pieceGenerationMax = 10 ** generationDigits - 1;

/** The names of all of a group's pieces begin so. Their order is that of their seqs. */
export function sealedPiecePrefix(group: string): string {
  return `${folder}${group}/`;
}

export function sealedPieceName({ group, firstSeq, folded }: SealedPieceIdentity): ObjectName {
  const name = `${sealedPiecePrefix(group)}${inDigits(firstSeq, seqDigits)}`;
  if (folded === undefined) return name;
  return `${name}-${inDigits(folded.lastSeq, seqDigits)}.${inDigits(folded.generation, generationDigits)}`;
}

function inDigits(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}

/** Undefined: no piece is named so. */
export function sealedPieceOfName(name: ObjectName): SealedPieceIdentity | undefined {
  const match = /^pieces\/([0-9a-f]{32})\/(\d{16})(?:-(\d{16})\.(\d{4}))?$/.exec(name);
  if (match === null) return undefined;
  const identity = { group: match[1] as string, firstSeq: Number(match[2]) };
  if (!Number.isSafeInteger(identity.firstSeq)) return undefined;
  if (match[3] === undefined) return identity;
  const folded = { lastSeq: Number(match[3]), generation: Number(match[4]) };
  const isSound = Number.isSafeInteger(folded.lastSeq) && folded.lastSeq >= identity.firstSeq && folded.generation >= 1;
  return isSound ? { ...identity, folded } : undefined;
}

export function objectOfPiece({ group, firstSeq, folded }: SealedPieceIdentity): ObjectIdentity {
  return { kind: objectKind.piece, group, number: firstSeq, generation: folded?.generation ?? 0 };
}

/** What the footer says of the records. */
export interface SealedPieceNumbers {
  readonly lastSeq: number;
  readonly earliestMicros: number;
  readonly latestMicros: number;
  /** Each entry counts, also of an aggregate. */
  readonly recordCount: number;
  readonly extentCount: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** The coarsest level of a data journal that it has changes in and is not folded to, in seconds; 0: there is none. */
  readonly coarseLevel: number;
}

const at = {
  ...{ lastSeq: 0, earliest: 8, latest: 16, recordCount: 24, extentCount: 28, firstEpoch: 32, lastEpoch: 36 },
  coarseLevel: 40,
};
const reservedAt = 44;

export function encodePieceNumbers(numbers: SealedPieceNumbers): Buffer {
  assert(areSoundNumbers(numbers), "only what can be read is written");
  const bytes = Buffer.alloc(kindNumbersBytes);
  putLe64(bytes, at.lastSeq, numbers.lastSeq);
  putLe64(bytes, at.earliest, numbers.earliestMicros);
  putLe64(bytes, at.latest, numbers.latestMicros);
  putLe32(bytes, at.recordCount, numbers.recordCount);
  putLe32(bytes, at.extentCount, numbers.extentCount);
  putLe32(bytes, at.firstEpoch, numbers.firstEpoch);
  putLe32(bytes, at.lastEpoch, numbers.lastEpoch);
  putLe32(bytes, at.coarseLevel, numbers.coarseLevel);
  return bytes;
}

/** Undefined: no piece has such numbers. */
export function decodePieceNumbers(bytes: Buffer): SealedPieceNumbers | undefined {
  const numbers = {
    lastSeq: getLe64(bytes, at.lastSeq),
    earliestMicros: getLe64(bytes, at.earliest),
    latestMicros: getLe64(bytes, at.latest),
    recordCount: getLe32(bytes, at.recordCount),
    extentCount: getLe32(bytes, at.extentCount),
    firstEpoch: getLe32(bytes, at.firstEpoch),
    lastEpoch: getLe32(bytes, at.lastEpoch),
    coarseLevel: getLe32(bytes, at.coarseLevel),
  };
  const isRestZero = bytes.subarray(reservedAt).every((byte) => byte === 0);
  return isRestZero && areSoundNumbers(numbers) ? numbers : undefined;
}

function areSoundNumbers(numbers: SealedPieceNumbers): boolean {
  const { lastSeq, earliestMicros, latestMicros, recordCount, firstEpoch, lastEpoch } = numbers;
  const areSafe = lastSeq <= Number.MAX_SAFE_INTEGER && latestMicros <= Number.MAX_SAFE_INTEGER;
  return areSafe && recordCount >= 1 && earliestMicros <= latestMicros && firstEpoch <= lastEpoch;
}

/**
 * What the piece that follows says of a piece. A folded one is known by what was said of the last piece that it takes the
 * place of, so that what follows need not be written again.
 */
export interface PieceLink {
  readonly hash: Buffer;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastEpoch: number;
}

/** Vouches for all of the piece, since its table has a digest of the contents, and for all before it. */
export function pieceHashOf({ header, table, footer }: Pick<ObjectFile, "header" | "table" | "footer">): Buffer {
  const hash = createHash("sha256").update(encodeObjectHeader(header)).update(table);
  return hash.update(encodeObjectFooter(footer)).digest();
}

/** A piece that a folded one takes the place of. */
export interface ReplacedPiece {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** 0: it was sealed of the journal. */
  readonly generation: number;
  /** Its own, whether it was folded itself or not. */
  readonly hash: Buffer;
}

/** What a folded piece says of those that it takes the place of. */
export interface PieceFolding {
  /** What was said of the last of them; the epoch is the folded piece's. */
  readonly standsFor: Pick<PieceLink, "hash" | "firstSeq">;
  /** In their order. */
  readonly replaced: readonly ReplacedPiece[];
}

/** Of the contents of a piece's parts, given in their order. */
export class PieceDigest {
  readonly #hash = createHash("sha256");
  readonly #head = Buffer.alloc(9);

  add(type: number, number: number, content: Buffer): void {
    this.#head[0] = type;
    putLe32(this.#head, 1, number);
    putLe32(this.#head, 5, content.length);
    this.#hash.update(this.#head).update(content);
  }

  /** The end of this one. */
  finish(): Buffer {
    return this.#hash.digest();
  }
}
