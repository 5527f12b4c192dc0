/**
 * Makes one piece of several that follow each other, folded by a rule, and looks whether a folded one says what those said that
 * it takes the place of. Nobody but the process that writes the store does either.
 *
 * In memory: 88 bytes of each row of blocks of the pieces that are compared, and of one row of records that is being folded.
 */
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { holeAddress } from "#src/records/address.ts";
import type { Objects } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { BlockExtent } from "./block-extent.ts";
import { BlockTouches } from "./block-touches.ts";
import { type FoldRule, RecordFold } from "./record-fold.ts";
import type { SealedPiece } from "./sealed-piece.ts";
import { SealedPieceBuilder, type SealedPieceParts, type SealedUnit } from "./sealed-piece-builder.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import { type PieceFolding, pieceGenerationMax, type ReplacedPiece } from "./sealed-piece-format.ts";

export interface FoldParts extends Pick<SealedPieceParts, "randomness" | "key" | "group"> {
  readonly objects: Objects;
}

export interface FoldOrder {
  /** All of them are in force, one behind the other. */
  readonly pieces: readonly SealedPiece[];
  readonly rule: FoldRule;
  readonly nowMicros: number;
  /** Says when it may take their place; undefined: not any more. */
  readonly publish: <Done>(finish: () => Promise<Done>) => Promise<Done | undefined>;
  readonly control: WorkControl;
}

/**
 * Whether it is in force now; if this rejects, it may be nevertheless. What comes of them may be too much for one. Throws a
 * `StopError` where they do not follow each other.
 */
export async function foldPieces(parts: FoldParts, order: FoldOrder): Promise<"folded" | "tooMuch" | "mustNot"> {
  const { pieces, rule, control } = order;
  const [first] = pieces;
  const last = pieces.at(-1);
  assert(first !== undefined && last !== undefined, "something is folded");
  const { firstSeq } = first.identity;
  const generation = 1 + Math.max(...pieces.map(({ identity }) => identity.folded?.generation ?? 0));
  if (generation > pieceGenerationMax) return "tooMuch";
  const place = { lastSeq: last.numbers.lastSeq, generation, level: rule.level };
  const building = { ...parts, previous: first.previous, fold: { ...place, ...foldingOf(checkedChain(pieces)) } };
  let builder: SealedPieceBuilder | undefined;
  try {
    for await (const unit of foldedUnits(pieces, rule, firstSeq, control)) {
      builder ??= new SealedPieceBuilder(building, unit);
      if (!builder.takes(unit)) return "tooMuch";
      await builder.add(unit);
    }
    const whole = builder;
    assert(whole !== undefined, "a piece has records");
    const identity = await order.publish(() => whole.finish(order.nowMicros));
    if (identity === undefined) return "mustNot";
    builder = undefined;
    return "folded";
  } finally {
    await builder?.abandon();
  }
}

function checkedChain(pieces: readonly SealedPiece[]): readonly SealedPiece[] {
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1];
    const finding = before === undefined ? undefined : chainFinding(before.link, piece);
    if (finding !== undefined) throw new StopError(`${piece.name} does not follow the piece before: ${finding}`);
  }
  return pieces;
}

function foldingOf(pieces: readonly SealedPiece[]): PieceFolding {
  const replaced = pieces.map(replacedBy);
  const { hash, firstSeq } = (pieces.at(-1) as SealedPiece).link;
  return { standsFor: { hash, firstSeq }, replaced };
}

function replacedBy({ identity, numbers, hash }: SealedPiece): ReplacedPiece {
  const { firstSeq, folded } = identity;
  return { firstSeq, lastSeq: numbers.lastSeq, generation: folded?.generation ?? 0, hash };
}

async function* foldedUnits(
  pieces: readonly SealedPiece[],
  rule: FoldRule,
  firstSeq: number,
  control: WorkControl,
): AsyncGenerator<SealedUnit, void> {
  const fold = new RecordFold(rule, firstSeq);
  for (const piece of pieces) {
    control.throwIfCancelled();
    for await (const record of piece.records()) yield* fold.add(record);
    await control.pace(piece.sizeBytes);
  }
  yield* fold.finish();
}

/** Why it must not be in force; undefined: all that can be compared is as it should be. `pieces` are those that it replaced. */
export async function foldFinding(
  folded: SealedPiece,
  pieces: readonly SealedPiece[],
  control: WorkControl,
): Promise<string | undefined> {
  const listed = folded.folding?.replaced ?? [];
  const isOfThem = pieces.every((piece, index) => listed[index]?.hash.equals(piece.hash) === true);
  if (!isOfThem || listed.length !== pieces.length) return "it was made of other pieces";
  try {
    await folded.verify();
  } catch (error) {
    if (error instanceof StopError) return error.message;
    throw error;
  }
  await control.pace(folded.sizeBytes);
  const touches = new BlockTouches();
  for (const piece of pieces) {
    for (let page = 0; page < piece.extentPageCount; page++) {
      for (const extent of await piece.extentPage(page)) touches.add(extent);
    }
    await control.pace(piece.sizeBytes);
  }
  const expected = joined(touches.extents());
  for await (const extent of joinedPages(folded)) {
    const other = expected.next().value;
    if (other === undefined || !isSameContent(extent, other)) return "it does not end in the state that they end in";
  }
  return expected.next().done === true ? undefined : "it ends before they do";
}

function isSameContent(a: BlockExtent, b: BlockExtent): boolean {
  const isSameRange = a.volume === b.volume && a.startBlock === b.startBlock && a.blockCount === b.blockCount;
  return isSameRange && a.address === b.address;
}

/** As few rows as can be, whatever records they are of. */
function* joined(extents: Iterable<BlockExtent>): Generator<BlockExtent, undefined> {
  let row: BlockExtent | undefined;
  for (const extent of extents) {
    if (row !== undefined && goesOn(row, extent)) {
      row = { ...row, blockCount: row.blockCount + extent.blockCount };
      continue;
    }
    if (row !== undefined) yield row;
    row = extent;
  }
  if (row !== undefined) yield row;
  return undefined;
}

async function* joinedPages(piece: SealedPiece): AsyncGenerator<BlockExtent, void> {
  let rest: BlockExtent | undefined;
  for (let page = 0; page < piece.extentPageCount; page++) {
    const extents = await piece.extentPage(page);
    const rows = [...joined(rest === undefined ? extents : [rest, ...extents])];
    rest = rows.pop();
    yield* rows;
  }
  if (rest !== undefined) yield rest;
}

function goesOn(row: BlockExtent, next: BlockExtent): boolean {
  if (row.volume !== next.volume || row.startBlock + row.blockCount !== next.startBlock) return false;
  if (row.address === holeAddress || next.address === holeAddress) return row.address === next.address;
  return row.address + row.blockCount === next.address;
}
