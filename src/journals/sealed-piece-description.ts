/**
 * What lies in a sealed piece, for people: its records, what they say of blocks, and what of it is not as it was written. Goes
 * on behind pages that are damaged. One item at a time.
 */
import { RefuseError } from "#src/core/errors.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  objectFooterBytes,
  objectHeaderBytes,
  objectKind,
} from "#src/store/object-format.ts";
import { type BlockExtent, endOfBlocks } from "./block-extent.ts";
import { type RecordItem, recordItemOf, recordLine } from "./record-description.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { decodePieceNumbers, type SealedPieceNumbers } from "./sealed-piece-format.ts";

export interface SealedPieceItem extends SealedPieceNumbers {
  readonly kind: "sealedPiece";
  readonly object: string;
  readonly sizeBytes: number;
  readonly group: string;
  readonly firstSeq: number;
  /** Hexadecimal. */
  readonly hash: string;
  /** Of a folded one: the seconds between its points, and how many pieces it takes the place of. */
  readonly level?: number;
  readonly generation?: number;
  readonly replacedPieces?: number;
  readonly previous?: {
    readonly firstSeq: number;
    readonly lastSeq: number;
    readonly lastEpoch: number;
    readonly hash: string;
  };
}

export interface SealedRecordItem extends RecordItem {
  /** It stands with others of its seq, up to an `aggregate` record, for all that they were folded from. */
  readonly isAggregated: boolean;
}

export interface SealedExtentItem extends BlockExtent {
  readonly kind: "extent";
}

/** A part, or the whole, is not what it should be. */
export interface SealedFlawItem {
  readonly kind: "flaw";
  readonly message: string;
}

export type SealedItem = SealedPieceItem | SealedRecordItem | SealedExtentItem | SealedFlawItem;

/**
 * `path` is what the source calls it, wherever it lies. Throws an `ObjectDamageError` where its beginning, its end or its
 * table are damaged, and a `RefuseError` where it is no piece, or encrypted.
 */
export async function* describeSealedPiece(source: ObjectSource, path: string): AsyncGenerator<SealedItem, void> {
  const header = Buffer.alloc(objectHeaderBytes);
  const byteLength = await source.read(path, header, 0);
  const { kind, group, number, generation, isEncrypted } = decodeObjectHeader(header.subarray(0, byteLength), path);
  if (kind !== objectKind.piece) throw new RefuseError(`${path} is no piece of a metadata journal`);
  if (isEncrypted) throw new RefuseError(`${path} is encrypted: 'tidemark dump object' tells what can be seen of it`);
  const named: ObjectSource = {
    read: (_name, target, position) => source.read(path, target, position),
    sizeBytes: () => source.sizeBytes(path),
  };
  const identity = { group, firstSeq: number };
  const folded = generation === 0 ? {} : { folded: { generation, lastSeq: await lastSeqOf(source, path) } };
  const piece = await SealedPiece.open(named, { ...identity, ...folded }, undefined);
  yield pieceItem(piece, path);
  let flawCount = 0;
  for (let page = 0; page < piece.recordPageCount + piece.extentPageCount; page++) {
    const items = await pageItems(piece, page);
    if (items instanceof ObjectDamageError) {
      flawCount++;
      yield { kind: "flaw", message: items.message };
    } else yield* items;
  }
  if (flawCount === 0) yield* await wholeFlaw(piece);
}

/** As the footer says. */
async function lastSeqOf(source: ObjectSource, path: string): Promise<number> {
  const footer = Buffer.alloc(objectFooterBytes);
  await source.read(path, footer, Math.max(0, (await source.sizeBytes(path)) - objectFooterBytes));
  return decodePieceNumbers(decodeObjectFooter(footer, path).kindNumbers)?.lastSeq ?? 0;
}

function pieceItem(piece: SealedPiece, object: string): SealedPieceItem {
  const { identity, numbers, sizeBytes, hash, previous, folding, level } = piece;
  const { folded, ...place } = identity;
  const fold =
    folding === undefined
      ? {}
      : { level, generation: folded?.generation ?? 0, replacedPieces: folding.replaced.length };
  const item = {
    kind: "sealedPiece",
    object,
    sizeBytes,
    ...place,
    ...numbers,
    ...fold,
    hash: hash.toString("hex"),
  } as const;
  return previous === undefined ? item : { ...item, previous: { ...previous, hash: previous.hash.toString("hex") } };
}

/** Pages of records come first, then those of the index. */
async function pageItems(piece: SealedPiece, page: number): Promise<SealedItem[] | ObjectDamageError> {
  try {
    if (page >= piece.recordPageCount) {
      const extents = await piece.extentPage(page - piece.recordPageCount);
      return extents.map((extent) => ({ kind: "extent", ...extent }));
    }
    const { records } = await piece.recordPage(page);
    return records.map((record) => ({
      ...recordItemOf(record, record.extra),
      isAggregated: record.isAggregated,
    }));
  } catch (error) {
    if (error instanceof ObjectDamageError) return error;
    throw error;
  }
}

/** Pages that are sound one by one may not be those that belong together. */
async function wholeFlaw(piece: SealedPiece): Promise<SealedFlawItem[]> {
  try {
    await piece.verify();
    return [];
  } catch (error) {
    if (error instanceof ObjectDamageError) return [{ kind: "flaw", message: error.message }];
    throw error;
  }
}

/** An item as a line of text. */
export function sealedPieceLine(item: SealedItem): string {
  switch (item.kind) {
    case "sealedPiece":
      return pieceLine(item);
    case "record":
      return recordLine(item) + (item.isAggregated ? " of an aggregate" : "");
    case "extent": {
      const end = item.startBlock + item.blockCount;
      const blocks = end === endOfBlocks ? `from ${item.startBlock} on` : `${item.startBlock}+${item.blockCount}`;
      const content = item.address === 0 ? "zeros" : `at ${item.address}`;
      return `    volume ${item.volume} blocks ${blocks} ${content} by ${item.seq}`;
    }
    case "flaw":
      return `  DAMAGED: ${item.message}`;
  }
}

function pieceLine(item: SealedPieceItem): string {
  const { previous } = item;
  const times = [item.earliestMicros, item.latestMicros].map((time) => new Date(Math.floor(time / 1000)).toISOString());
  const behind =
    previous === undefined
      ? "the first one"
      : `behind the one of ${previous.firstSeq} to ${previous.lastSeq} with hash ${previous.hash}`;
  return (
    `piece ${item.object}, ${item.sizeBytes} bytes, group ${item.group}, records ${item.firstSeq} to ${item.lastSeq} ` +
    `from ${times[0]} to ${times[1]}, ${item.recordCount} entries, ${item.extentCount} extents, ` +
    `epoch ${item.firstEpoch} to ${item.lastEpoch}, hash ${item.hash}, ${behind}`
  );
}
