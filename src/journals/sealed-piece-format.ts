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
}

const folder = "pieces/";
const seqDigits = 16;

/** The names of all of a group's pieces begin so. Their order is that of their seqs. */
export function sealedPiecePrefix(group: string): string {
  return `${folder}${group}/`;
}

export function sealedPieceName({ group, firstSeq }: SealedPieceIdentity): ObjectName {
  return `${sealedPiecePrefix(group)}${String(firstSeq).padStart(seqDigits, "0")}`;
}

/** Undefined: no piece is named so. */
export function sealedPieceOfName(name: ObjectName): SealedPieceIdentity | undefined {
  const match = /^pieces\/([0-9a-f]{32})\/(\d{16})$/.exec(name);
  const identity = { group: match?.[1] ?? "", firstSeq: Number(match?.[2]) };
  return match !== null && Number.isSafeInteger(identity.firstSeq) ? identity : undefined;
}

export function objectOfPiece({ group, firstSeq }: SealedPieceIdentity): ObjectIdentity {
  return { kind: objectKind.piece, group, number: firstSeq, generation: 0 };
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
}

const at = { lastSeq: 0, earliest: 8, latest: 16, recordCount: 24, extentCount: 28, firstEpoch: 32, lastEpoch: 36 };
const reservedAt = 40;

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
  };
  const isRestZero = bytes.subarray(reservedAt).every((byte) => byte === 0);
  return isRestZero && areSoundNumbers(numbers) ? numbers : undefined;
}

function areSoundNumbers(numbers: SealedPieceNumbers): boolean {
  const { lastSeq, earliestMicros, latestMicros, recordCount, firstEpoch, lastEpoch } = numbers;
  const areSafe = lastSeq <= Number.MAX_SAFE_INTEGER && latestMicros <= Number.MAX_SAFE_INTEGER;
  return areSafe && recordCount >= 1 && earliestMicros <= latestMicros && firstEpoch <= lastEpoch;
}

/** What the piece that follows says of a piece. */
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
