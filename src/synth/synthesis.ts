/**
 * Makes a snapshot of an earlier one and the sealed pieces between: of pointers alone. No payload is read, and no source; what
 * it costs follows from what has changed, and not from how large the volumes are.
 *
 * In memory are a page and the table of each piece, and where the snapshot lies within a piece 88 bytes of each of its
 * records. Whoever dies meanwhile leaves nothing: the object is there whole or not at all, and who comes next takes it as it
 * is.
 */

import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { sealedPageExtentsMax, synthesisPiecesMax } from "#src/core/store-limits.ts";
import { type BlockExtent, endOfBlocks } from "#src/journals/block-extent.ts";
import type { BlockTouches } from "#src/journals/block-touches.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { chainFinding } from "#src/journals/sealed-piece-chain.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type ExtentPages, mergedPages } from "./extent-merge.ts";
import { nextLayers } from "./next-layers.ts";
import { indexPages } from "./piece-changes.ts";
import { type RecordsBetween, recordsBetween } from "./records-between.ts";
import { Snapshot } from "./snapshot.ts";
import { SnapshotBuilder, type SnapshotStoreParts } from "./snapshot-builder.ts";
import type { SnapshotVolume } from "./snapshot-table.ts";
import { nodesToForward } from "./sparse-sources.ts";
import { VolumeChanges } from "./volume-changes.ts";
import type { VolumeState } from "./volume-state.ts";

export interface SynthesisStep {
  /** Undefined: the pieces begin with the first of all. */
  readonly base: Snapshot | undefined;
  /** Those behind the base, one after the other, at most `synthesisPiecesMax`; the one that has the base's seq may be the first. */
  readonly pieces: readonly SealedPiece[];
  /** What is wanted is the state after this record; none of the pieces but the last ends there or later. */
  readonly seq: number;
  readonly nowMicros: number;
  readonly control: WorkControl;
  /** Somebody waits for it: what may be left to the next one is. */
  readonly isHurried?: boolean;
}

/**
 * Within an aggregate there is no state: then the snapshot is of the last seq before it. Answers the base itself where there
 * is nothing behind it. Throws a `StopError` where the pieces do not follow.
 */
export async function synthesize(parts: SnapshotStoreParts, step: SynthesisStep): Promise<Snapshot> {
  const { base, pieces, seq } = step;
  assert(pieces.length <= synthesisPiecesMax, "so many pieces are merged at once");
  const lastPiece = checkedChain(base, pieces);
  if (base !== undefined && (base.seq >= seq || lastPiece === undefined)) return base;
  const between = await recordsBetween({ ...step, afterSeq: base?.seq ?? 0, states: base?.volumes ?? [] });
  if (between === undefined || lastPiece === undefined) {
    if (base !== undefined) return base;
    throw new StopError(`no record of group ${parts.group} is in a sealed piece up to ${seq}`);
  }
  const there = await snapshotThatIsThere(parts, between.last.seq);
  if (there !== undefined) {
    if (lastPiece.standsFor(there.through)) return there;
    throw new StopError(`${there.name} is there, and was made of another history`);
  }
  return await write(parts, step, between, lastPiece);
}

/** Throws where they do not follow. Answers the last one. */
function checkedChain(base: Snapshot | undefined, pieces: readonly SealedPiece[]): SealedPiece | undefined {
  let before = base?.through;
  for (const [index, piece] of pieces.entries()) {
    const isSame = index === 0 && before !== undefined && piece.standsFor(before);
    // A base of the midst of a piece does not have what its end says.
    const isCut = index === 0 && base !== undefined && base.through.lastSeq > base.seq;
    const missing = isCut ? "the end of the piece is missing that the snapshot before is of" : undefined;
    const finding = isSame ? undefined : (missing ?? chainFinding(before, piece));
    if (finding !== undefined) throw new StopError(`${piece.name} does not follow what was before: ${finding}`);
    before = piece.link;
  }
  return pieces.at(-1);
}

async function snapshotThatIsThere(
  { objects, group, key }: SnapshotStoreParts,
  seq: number,
): Promise<Snapshot | undefined> {
  try {
    return await Snapshot.open(objects, { group, seq }, key);
  } catch (error) {
    if (error instanceof AbsentObjectError) return undefined;
    throw error;
  }
}

async function write(
  parts: SnapshotStoreParts,
  step: SynthesisStep,
  { last, states, touches }: RecordsBetween,
  lastPiece: SealedPiece,
): Promise<Snapshot> {
  const { base, pieces, nowMicros, control, isHurried = false } = step;
  const forward = base === undefined ? undefined : await nodesToForward(base, control, isHurried);
  const builder = new SnapshotBuilder(parts, last.seq, base, control);
  try {
    const changes = await VolumeChanges.begin(mergedPages(rowsOf(pieces, base?.seq ?? 0, touches)));
    const volumes: SnapshotVolume[] = [];
    for (const state of states) {
      const known = {
        layers: base?.volume(state.number)?.layers ?? [],
        renewed: forward?.blocks.get(state.number),
        extentsMax: extentsAtMost(pieces, touches, state.number),
      };
      const nodes = builder.nodesOf(state.number, endBlockOf(state, base?.volume(state.number)));
      const layers = await nextLayers(nodes, known, changes, state.number, isHurried);
      volumes.push({ ...state, layers });
    }
    for (const [seq, offset] of forward?.usedFrom ?? []) builder.usedFrom(seq, offset);
    if (changes.nextVolume !== undefined)
      throw new StopError(`records change volume ${changes.nextVolume}, which is none`);
    const { timeMicros, epoch } = last;
    const identity = await builder.finish({
      volumes,
      through: throughOf(lastPiece, last.seq),
      timeMicros,
      epoch,
      nowMicros,
    });
    return await Snapshot.open(parts.objects, identity, parts.key);
  } catch (error) {
    await builder.abandon();
    throw error;
  }
}

/** Within a folded piece it may lie before the last one of those that this is known by: then all of them are meant. */
function throughOf({ link, identity }: SealedPiece, seq: number): PieceLink {
  return seq < link.firstSeq ? { ...link, firstSeq: identity.firstSeq } : link;
}

function rowsOf(pieces: readonly SealedPiece[], afterSeq: number, touches: BlockTouches | undefined): ExtentPages[] {
  const whole = touches === undefined ? pieces : pieces.slice(0, -1);
  const rows: ExtentPages[] = whole.map((piece) => indexPages(piece, afterSeq));
  return touches === undefined ? rows : [...rows, pagesOf(touches.extents())];
}

/** As it is, or as it was where it was cut. */
function endBlockOf({ identity }: VolumeState, before: VolumeState | undefined): number {
  const sizeBytes = Math.max(identity?.sizeBytes ?? 0, before?.identity?.sizeBytes ?? 0);
  return sizeBytes === 0 ? endOfBlocks : Math.ceil(sizeBytes / blockBytes);
}

function extentsAtMost(pieces: readonly SealedPiece[], touches: BlockTouches | undefined, volume: number): number {
  const whole = touches === undefined ? pieces : pieces.slice(0, -1);
  return whole.reduce((sum, piece) => sum + piece.extentsAtMost(volume), touches?.count ?? 0);
}

async function* pagesOf(extents: Iterable<BlockExtent>): AsyncGenerator<readonly BlockExtent[], void> {
  let page: BlockExtent[] = [];
  for (const extent of extents) {
    page.push(extent);
    if (page.length < sealedPageExtentsMax) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
