/**
 * The table of a sealed piece (docs/formats.md): which piece is before it, and where its pages are.
 *
 * Invariants, checked when read: pages lie behind each other without gaps; seqs of record pages never fall; extent pages
 * begin at ever higher places.
 */
import { assert } from "#src/core/assert.ts";
import { getLe32, getLe64, putLe32, putLe64 } from "#src/core/little-endian.ts";
import {
  foldedPiecesMax,
  partBytesMax,
  sealedPageExtentsMax,
  sealedPageRecordsMax,
  sealedPiecePagesMax,
} from "#src/core/store-limits.ts";
import { objectHeaderBytes } from "#src/store/object-format.ts";
import { PackedReader, PackedWriter, packedBitsMax, varintBytesMax } from "./packed-bytes.ts";
import { ColumnReader, ColumnWriter, columnBytesMax } from "./packed-column.ts";
import { type PieceFolding, type PieceLink, pieceHashBytes } from "./sealed-piece-format.ts";

/** Where a part lies in the object, with its header. */
export interface PagePlace {
  readonly offset: number;
  readonly storedBytes: number;
}

export interface RecordPagePlace extends PagePlace {
  readonly recordCount: number;
  /** Of the last record. */
  readonly lastSeq: number;
  readonly timeMicros: number;
}

export interface ExtentPagePlace extends PagePlace {
  readonly extentCount: number;
  /** Where the first extent begins. */
  readonly volume: number;
  readonly startBlock: number;
}

export interface SealedPieceTable {
  /** Undefined: there is none before. */
  readonly previous: PieceLink | undefined;
  readonly digest: Buffer;
  readonly recordPages: readonly RecordPagePlace[];
  readonly extentPages: readonly ExtentPagePlace[];
  /** Undefined: it was sealed of the journal. */
  readonly folding: PieceFolding | undefined;
}

const at = {
  hash: 0,
  digest: pieceHashBytes,
  firstSeq: 64,
  lastSeq: 72,
  lastEpoch: 80,
  recordPages: 84,
  extentPages: 88,
  replaced: 92,
};
const headBytes = 96;
const recordFields = ["storedBytes", "recordCount", "lastSeq", "timeMicros"] as const;
const extentFields = ["storedBytes", "extentCount", "volume", "startBlock"] as const;

const replacedFields = ["firstSeq", "lastSeq", "generation"] as const;

type ReplacedFields = Record<(typeof replacedFields)[number], number>;
type RecordFields = Record<(typeof recordFields)[number], number>;
type ExtentFields = Record<(typeof extentFields)[number], number>;

export function encodePieceTable(table: SealedPieceTable): Buffer {
  const { previous, digest, recordPages, extentPages, folding } = table;
  const head = Buffer.alloc(headBytes);
  digest.copy(head, at.digest);
  if (previous !== undefined) {
    previous.hash.copy(head, at.hash);
    putLe64(head, at.firstSeq, previous.firstSeq);
    putLe64(head, at.lastSeq, previous.lastSeq);
    putLe32(head, at.lastEpoch, previous.lastEpoch);
  }
  putLe32(head, at.recordPages, recordPages.length);
  putLe32(head, at.extentPages, extentPages.length);
  putLe32(head, at.replaced, folding?.replaced.length ?? 0);
  const foldedBytes = foldingBytesMax(folding?.replaced.length ?? 0);
  const writer = new PackedWriter(tableBytesMax(recordPages.length) + tableBytesMax(extentPages.length) + foldedBytes);
  writer.putBytes(head, 0, head.length);
  putPages<keyof RecordFields>(writer, recordPages, recordFields);
  putPages<keyof ExtentFields>(writer, extentPages, extentFields);
  if (folding !== undefined) putFolding(writer, folding);
  return writer.bytes;
}

function putFolding(writer: PackedWriter, { standsFor, replaced }: PieceFolding): void {
  assert(replaced.length >= 1 && replaced.length <= foldedPiecesMax, "a folded piece takes the place of some");
  putPages<keyof ReplacedFields>(writer, replaced, replacedFields);
  for (const { hash } of replaced) writer.putBytes(hash, 0, pieceHashBytes);
  writer.putVarint(standsFor.firstSeq);
  writer.putBytes(standsFor.hash, 0, pieceHashBytes);
}

function putPages<Field extends string>(
  writer: PackedWriter,
  pages: readonly Readonly<Record<Field, number>>[],
  fields: readonly Field[],
): void {
  for (const field of fields) {
    const column = new ColumnWriter(pages.length);
    for (const [index, page] of pages.entries()) column.add(page[field], pages[index - 1]?.[field] ?? 0);
    column.finish(writer);
  }
}

/** Undefined: the bytes are no table of this version. */
export function decodePieceTable(bytes: Buffer): SealedPieceTable | undefined {
  if (bytes.length < headBytes || getLe32(bytes, at.replaced) > foldedPiecesMax) return undefined;
  const [recordPageCount, extentPageCount] = [getLe32(bytes, at.recordPages), getLe32(bytes, at.extentPages)];
  const pageCountMax = Math.max(recordPageCount, extentPageCount);
  if (recordPageCount === 0 || pageCountMax > sealedPiecePagesMax) return undefined;
  const previous = previousIn(bytes);
  const reader = new PackedReader(bytes, headBytes);
  const recordPages = placed(takePages<keyof RecordFields>(reader, recordPageCount, recordFields), objectHeaderBytes);
  const extentsAt = endOfPages(recordPages);
  const extentPages = placed(takePages<keyof ExtentFields>(reader, extentPageCount, extentFields), extentsAt);
  const folding = takeFolding(reader, getLe32(bytes, at.replaced));
  const isSound = !reader.isBroken && reader.isAtEnd && previous !== "unsound" && areSound(recordPages, extentPages);
  if (!isSound || folding === "unsound") return undefined;
  const digest = Buffer.from(bytes.subarray(at.digest, at.digest + pieceHashBytes));
  return { previous, digest, recordPages, extentPages, folding };
}

function takeFolding(reader: PackedReader, count: number): PieceFolding | "unsound" | undefined {
  if (count === 0) return undefined;
  const rows = takePages<keyof ReplacedFields>(reader, count, replacedFields);
  const replaced = rows.map((row) => ({ ...row, hash: Buffer.from(reader.takeBytes(pieceHashBytes)) }));
  const firstSeq = reader.takeVarint();
  const hash = Buffer.from(reader.takeBytes(pieceHashBytes));
  if (reader.isBroken) return "unsound";
  const areInOrder = replaced.every((one, index) => {
    return one.firstSeq > (replaced[index - 1]?.lastSeq ?? 0) && one.lastSeq >= one.firstSeq;
  });
  return areInOrder ? { standsFor: { hash, firstSeq }, replaced } : "unsound";
}

function previousIn(bytes: Buffer): PieceLink | "unsound" | undefined {
  const hash = Buffer.from(bytes.subarray(at.hash, at.hash + pieceHashBytes));
  const [firstSeq, lastSeq] = [getLe64(bytes, at.firstSeq), getLe64(bytes, at.lastSeq)];
  const lastEpoch = getLe32(bytes, at.lastEpoch);
  if (hash.every((byte) => byte === 0))
    return lastSeq === 0 && firstSeq === 0 && lastEpoch === 0 ? undefined : "unsound";
  return firstSeq <= lastSeq && lastSeq <= Number.MAX_SAFE_INTEGER ? { hash, firstSeq, lastSeq, lastEpoch } : "unsound";
}

function takePages<Field extends string>(
  reader: PackedReader,
  count: number,
  fields: readonly Field[],
): Record<Field, number>[] {
  const pages = Array.from({ length: count }, () => ({}) as Record<Field, number>);
  for (const field of fields) {
    const column = new ColumnReader(reader, count);
    let last = 0;
    for (const page of pages) {
      last = column.take(last);
      page[field] = last;
    }
  }
  return pages;
}

/** Pages lie behind each other. */
function placed<Page extends { readonly storedBytes: number }>(
  pages: readonly Page[],
  start: number,
): (Page & PagePlace)[] {
  let offset = start;
  return pages.map((page) => {
    const place = { ...page, offset };
    offset += page.storedBytes;
    return place;
  });
}

function endOfPages(pages: readonly PagePlace[]): number {
  const last = pages.at(-1);
  return last === undefined ? objectHeaderBytes : last.offset + last.storedBytes;
}

/** Where the table lies. */
export function endOfPieceParts({ recordPages, extentPages }: SealedPieceTable): number {
  return endOfPages([...recordPages, ...extentPages]);
}

function areSound(recordPages: readonly RecordPagePlace[], extentPages: readonly ExtentPagePlace[]): boolean {
  const areRecords = recordPages.every(({ recordCount, lastSeq }, index) => {
    const isBounded = recordCount >= 1 && recordCount <= sealedPageRecordsMax;
    return isBounded && lastSeq >= (recordPages[index - 1]?.lastSeq ?? 0);
  });
  const areExtents = extentPages.every(({ extentCount, volume, startBlock }, index) => {
    const before = extentPages[index - 1];
    const isBehind =
      before === undefined || volume > before.volume || (volume === before.volume && startBlock > before.startBlock);
    return isBehind && extentCount >= 1 && extentCount <= sealedPageExtentsMax;
  });
  return areRecords && areExtents;
}

/** With the bytes of the head counted for each kind of page. */
function tableBytesMax(pageCount: number): number {
  return headBytes + recordFields.length * columnBytesMax(pageCount, packedBitsMax);
}

function foldingBytesMax(count: number): number {
  const columnsBytes = replacedFields.length * columnBytesMax(count, packedBitsMax);
  return count === 0 ? 0 : columnsBytes + (count + 1) * pieceHashBytes + varintBytesMax;
}

assert(recordFields.length === extentFields.length, "tables of both kinds are as long");
assert(
  2 * tableBytesMax(sealedPiecePagesMax) + foldingBytesMax(foldedPiecesMax) <= partBytesMax,
  "a longest table is one part",
);
