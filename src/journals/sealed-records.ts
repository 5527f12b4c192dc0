/** The records of a group as the store alone has them, over all its pieces. */
import { StopError } from "#src/core/errors.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import type { JournalRecord } from "./journal-reader.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import type { PieceLink, SealedPieceIdentity } from "./sealed-piece-format.ts";

export interface SealedRecordsPlace {
  readonly objects: ReadableObjects;
  readonly group: string;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
}

/**
 * Those behind `afterSeq` in their order; an aggregate's have its last seq. Throws a `StopError` where the store does not have
 * the first of them any more, or a piece is missing, and as `SealedPiece.open` does.
 */
export function sealedRecords(place: SealedRecordsPlace, afterSeq: number): AsyncGenerator<JournalRecord, void> {
  return recordsFrom(place, afterSeq, undefined);
}

/** Those behind the piece of this link, which may be gone: the first that is there has to follow just it. */
export function sealedRecordsBehind(place: SealedRecordsPlace, link: PieceLink): AsyncGenerator<JournalRecord, void> {
  return recordsFrom(place, link.lastSeq, link);
}

async function* recordsFrom(
  { objects, group, key }: SealedRecordsPlace,
  afterSeq: number,
  link: PieceLink | undefined,
): AsyncGenerator<JournalRecord, void> {
  let before = link;
  for (const identity of await piecesFrom(objects, group, afterSeq + 1)) {
    // Not gone yet.
    if (identity.firstSeq <= (link?.firstSeq ?? 0)) continue;
    const piece = await SealedPiece.open(objects, identity, key);
    const finding = before === undefined ? startFinding(piece, afterSeq) : chainFinding(before, piece);
    if (finding !== undefined) throw new StopError(`${piece.name} does not follow the piece before: ${finding}`);
    yield* piece.records(afterSeq);
    before = piece.link;
  }
}

/** Of the piece that the record may be in, and of those behind it. */
async function piecesFrom(objects: ReadableObjects, group: string, seq: number): Promise<SealedPieceIdentity[]> {
  const pieces = await piecesInForce(objects, group);
  const from = pieces.findLastIndex(({ firstSeq }) => firstSeq <= seq);
  return pieces.slice(Math.max(0, from));
}

function startFinding({ identity, previous }: SealedPiece, afterSeq: number): string | undefined {
  const isFromThere = identity.firstSeq <= afterSeq + 1 || previous === undefined || previous.lastSeq <= afterSeq;
  return isFromThere ? undefined : `the store has nothing of the records from ${afterSeq + 1} to ${previous.lastSeq}`;
}
