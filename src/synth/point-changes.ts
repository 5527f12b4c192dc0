/**
 * Where a volume differs between two points: the blocks on which a record behind the earlier one was the last to decide. It is
 * put together as an image of the later one is, of those parts alone that have something of such records: nodes of a
 * snapshot's trees, pages of indexes, and what is not sealed yet. So it costs what has changed, and not how large the volume is.
 *
 * Errors: a `StopError` where something of it is damaged or missing, an `AbsentObjectError` and a `RetryError` where something went
 * meanwhile.
 */
import { StopError } from "#src/core/errors.ts";
import { differencePageRanges, differencePiecesMax, differenceRepeatsMax } from "#src/core/restore-limits.ts";
import { type BlockExtent, endOfBlocks, extentOf } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { holeAddress } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { BlockDifference } from "./block-difference.ts";
import { type ExtentPages, mergedPages } from "./extent-merge.ts";
import type { HistoryGaps } from "./history-gaps.ts";
import type { OpenTail } from "./open-tail.ts";
import type { PointMaking } from "./point-layers.ts";
import type { SealedPoints } from "./sealed-points.ts";

export interface WantedChanges {
  readonly volume: number;
  /** Records up to there are no change. */
  readonly afterSeq: number;
  /** The later point. */
  readonly seq: number;
  /** Nothing before this block. */
  readonly fromBlock: number;
}

/** Two points in either order: what who has the first needs for the second, within its size. */
export interface WantedDifference {
  readonly firstSeq: number;
  readonly secondSeq: number;
  readonly fromBlock: number;
  readonly rangesMax: number;
}

export interface FoundRanges {
  readonly ranges: readonly BlockDifference[];
  /** There may be more from there on. */
  readonly nextBlock: number | undefined;
}

export interface PointDifference extends FoundRanges {
  /** How large the volume was at the two points. */
  readonly firstBytes: number;
  readonly secondBytes: number;
}

export interface PointChangesParts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
  readonly gaps: HistoryGaps;
}

/** Ranges in the order of their blocks, none over another, as few as may be. `making`: of the later point. */
export async function* pointChanges(
  parts: PointChangesParts,
  making: PointMaking,
  wanted: WantedChanges,
): AsyncGenerator<readonly BlockDifference[], void> {
  if (making.isBaseLost) throw new ObjectDamageError("snapshots/", "header", making.findings.join("; "));
  const gap = making.gaps.find(({ lastSeq }) => lastSeq > wanted.afterSeq);
  if (gap !== undefined) {
    throw new StopError(
      `what has changed behind record ${wanted.afterSeq} cannot be told: records ${gap.firstSeq} to ${gap.lastSeq} are ${gap.finding}`,
    );
  }
  const rows = await rowsOf(parts, making, wanted);
  if (rows.length === 0) return;
  let ranges: BlockDifference[] = [];
  for await (const page of mergedPages(rows)) {
    for (const extent of page) add(ranges, extent, wanted.fromBlock);
    if (ranges.length < differencePageRanges) continue;
    // The last one may go on.
    const last = ranges.pop() as BlockDifference;
    yield ranges;
    ranges = [last];
  }
  if (ranges.length > 0) yield ranges;
}

/** Those that lie above are last. */
async function rowsOf(
  { sealed, tail, gaps }: PointChangesParts,
  { base, pieces, chunks }: PointMaking,
  wanted: WantedChanges,
): Promise<ExtentPages[]> {
  const { volume, afterSeq, seq, fromBlock } = wanted;
  const rows: ExtentPages[] = [];
  const isInBase = base !== undefined && base.snapshot.seq > afterSeq && base.snapshot.volume(volume) !== undefined;
  const instead = isInBase ? await piecesInstead({ sealed, gaps }, base.snapshot.seq, wanted) : [];
  if (isInBase && instead === undefined) rows.push(base.snapshot.changes(volume, afterSeq, fromBlock));
  for (const piece of instead ?? []) {
    // What its end has beyond the snapshot comes with the pieces behind that.
    if (!pieces.some(({ firstSeq }) => firstSeq === piece.identity.firstSeq)) rows.push(pieceRow(piece, wanted));
  }
  for (const identity of pieces) {
    const held = await sealed.held(identity);
    if (held instanceof ObjectDamageError) throw held;
    const { piece } = held;
    if (piece.numbers.lastSeq > afterSeq) rows.push(pieceRow(piece, wanted));
  }
  for (const chunk of chunks) {
    if (chunk.lastSeq <= afterSeq) continue;
    rows.push(onePage((await tail.rowsOf(chunk, volume, seq)).extents(volume), wanted));
  }
  return rows;
}

/**
 * The pieces that say what is to be told of a snapshot, where that costs less: they lie in a row, while in a tree each change has a
 * leaf of its own. Undefined: many of their records write to the same blocks, or they are many, or one of them cannot be read or is
 * missing.
 */
async function piecesInstead(
  { sealed, gaps }: Pick<PointChangesParts, "sealed" | "gaps">,
  snapshotSeq: number,
  { volume, afterSeq }: WantedChanges,
): Promise<readonly SealedPiece[] | undefined> {
  if (afterSeq < sealed.history.basedOn) return undefined;
  const index = sealed.indexOf(afterSeq);
  const identities = sealed.pieces.slice(Math.max(0, index)).filter(({ firstSeq }) => firstSeq <= snapshotSeq);
  if (identities.length > differencePiecesMax) return undefined;
  const start = index < 0 ? gaps.historyStart : undefined;
  if ((await gaps.find({ start, pieces: identities, isWithTail: false })).length > 0) return undefined;
  const found: SealedPiece[] = [];
  let [all, most, lastSeq] = [0, 0, afterSeq];
  for (const identity of identities) {
    const held = await sealed.held(identity);
    if (held instanceof ObjectDamageError) return undefined;
    if (held.piece.numbers.lastSeq <= afterSeq) continue;
    lastSeq = held.piece.numbers.lastSeq;
    // Where the snapshot lies within it its records are gone through.
    if (lastSeq > snapshotSeq && (await sealed.events(identity)).damaged.length > 0) return undefined;
    const count = held.piece.extentsAtMost(volume);
    all += count;
    most = Math.max(most, count);
    found.push(held.piece);
  }
  return lastSeq >= snapshotSeq && all <= differenceRepeatsMax * most ? found : undefined;
}

/** Its index is of all its records, also of those behind the later point. */
function pieceRow(piece: SealedPiece, wanted: WantedChanges): ExtentRow {
  return piece.numbers.lastSeq <= wanted.seq ? indexRow(piece, wanted) : recordsRow(piece, wanted);
}

async function* indexRow(piece: SealedPiece, wanted: WantedChanges): ExtentRow {
  const places = piece.extentPagePlaces;
  for (let page = 0; page < places.length; page++) {
    const [begin, next] = [places[page], places[page + 1]];
    if (begin !== undefined && begin.volume > wanted.volume) return;
    const isBefore = next !== undefined && lies(next, wanted) <= 0;
    if (!isBefore) yield* onePage(await piece.extentPage(page), wanted);
  }
}

type ExtentRow = AsyncGenerator<readonly BlockExtent[], void>;

/** Below zero: before what is wanted. */
function lies({ volume, startBlock }: { volume: number; startBlock: number }, wanted: WantedChanges): number {
  return volume === wanted.volume ? startBlock - wanted.fromBlock : volume - wanted.volume;
}

/** Of one in whose middle the later point lies. */
async function* recordsRow(piece: SealedPiece, wanted: WantedChanges): ExtentRow {
  const touches = new BlockTouches();
  for await (const record of piece.records(wanted.afterSeq)) {
    if (record.seq > wanted.seq) break;
    const extent = record.volume === wanted.volume ? extentOf(record, record.extra) : undefined;
    if (extent !== undefined) touches.add(extent);
  }
  yield* onePage(touches.extents(), wanted);
}

async function* onePage(extents: Iterable<BlockExtent>, wanted: WantedChanges): ExtentRow {
  const { volume, afterSeq, fromBlock } = wanted;
  const page: BlockExtent[] = [];
  for (const extent of extents) {
    const isWanted = extent.volume === volume && extent.seq > afterSeq;
    if (isWanted && extent.startBlock + extent.blockCount > fromBlock) page.push(extent);
  }
  if (page.length > 0) yield page;
}

function add(ranges: BlockDifference[], { startBlock, blockCount, address }: BlockExtent, from: number): void {
  const fromBlock = Math.max(startBlock, from);
  const toBlock = Math.min(startBlock + blockCount, endOfBlocks);
  const isHole = address === holeAddress;
  const last = ranges.at(-1);
  if (last?.toBlock === fromBlock && last.isHole === isHole) ranges[ranges.length - 1] = { ...last, toBlock };
  else if (toBlock > fromBlock) ranges.push({ fromBlock, toBlock, isHole });
}

/** So many of them at most, within a volume of so many blocks. */
export async function firstRanges(
  pages: AsyncIterable<readonly BlockDifference[]>,
  blockCount: number,
  rangesMax: number,
): Promise<FoundRanges> {
  const ranges: BlockDifference[] = [];
  for await (const page of pages) {
    for (const { fromBlock, toBlock, isHole } of page) {
      if (fromBlock >= blockCount) return { ranges, nextBlock: undefined };
      if (ranges.length === rangesMax) return { ranges, nextBlock: fromBlock };
      ranges.push({ fromBlock, toBlock: Math.min(toBlock, blockCount), isHole });
    }
  }
  return { ranges, nextBlock: undefined };
}
