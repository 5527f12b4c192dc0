/**
 * What of a group's history is let go of, and why. A history is kept from a snapshot on, its base, and with all pieces behind
 * it: so every point from there on is kept, and none before, but for snapshots that a pin holds.
 *
 * Invariants: pieces go as a whole and from the oldest on, and none that has a record behind the base; the newest piece
 * stays, since sealing goes on behind it; the base is never before the one that there is.
 */
import { historySlack } from "#src/core/store-limits.ts";
import type { HistoryDocument, HistoryPin } from "./history-document.ts";
import type { TrustedTime } from "./trusted-time.ts";

export interface PieceSpan {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly earliestMicros: number;
  readonly latestMicros: number;
}

export interface SnapshotPlace {
  readonly seq: number;
  readonly timeMicros: number;
  /** Within what was folded it may be none, and what it holds be gone in part. */
  readonly isPoint: boolean;
}

/** What is to be kept: all of the last so many microseconds, or all from a seq on; neither: all. */
export interface RetentionWish {
  readonly keepMicros?: number;
  readonly fromSeq?: number;
}

export interface RetentionFacts {
  readonly time: TrustedTime;
  readonly wish: RetentionWish;
  readonly history: HistoryDocument;
  /** All that are there, in their order. */
  readonly pieces: readonly PieceSpan[];
  /** The same. */
  readonly snapshots: readonly SnapshotPlace[];
}

export interface ExpiredPiece {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly reason: string;
}

export interface ExpiredSnapshot {
  readonly seq: number;
  readonly reason: string;
}

export interface RetentionPlan {
  /** Why nothing is let go of, whatever the wish. */
  readonly alarm: TrustedTime["alarm"];
  /** Nothing later is let go of by its age. */
  readonly horizonMicros: number | undefined;
  /** Where the history begins then; undefined: where it does now. */
  readonly base: { readonly seq: number; readonly isThere: boolean; readonly reason: string } | undefined;
  readonly pieces: readonly ExpiredPiece[];
  readonly snapshots: readonly ExpiredSnapshot[];
  /** The pin but for which more would go. */
  readonly heldBy: HistoryPin | undefined;
}

export function retentionPlan(facts: RetentionFacts): RetentionPlan {
  const { time, wish, history, pieces } = facts;
  const isByAge = wish.fromSeq === undefined && wish.keepMicros !== undefined;
  const alarm = isByAge ? time.alarm : undefined;
  const horizonMicros = isByAge ? time.micros - (wish.keepMicros as number) : undefined;
  const kept = pieces.filter((piece) => !isBehind(piece, history));
  const { cut, heldBy } = alarm === undefined ? cutOf(facts, kept, horizonMicros) : nothingCut;
  const base = cut === undefined ? undefined : baseFor(facts, cut, kept[0], horizonMicros);
  const baseSeq = base?.seq ?? history.basedOn;
  return {
    alarm,
    horizonMicros,
    base,
    heldBy,
    pieces: expiredPieces(pieces, history, baseSeq),
    snapshots: expiredSnapshots(facts, baseSeq),
  };
}

const nothingCut = { cut: undefined, heldBy: undefined };

/** Expired already. */
function isBehind({ lastSeq }: PieceSpan, { behind }: HistoryDocument): boolean {
  return behind !== undefined && lastSeq <= behind.lastSeq;
}

/** The last piece that may go with all before it, and what keeps those behind it that could go too. */
function cutOf(
  { wish, history }: RetentionFacts,
  kept: readonly PieceSpan[],
  horizonMicros: number | undefined,
): { readonly cut: PieceSpan | undefined; readonly heldBy: HistoryPin | undefined } {
  const mayGo = (piece: PieceSpan): boolean =>
    (wish.fromSeq !== undefined && piece.lastSeq <= wish.fromSeq) ||
    (horizonMicros !== undefined && piece.latestMicros <= horizonMicros);
  let cut: PieceSpan | undefined;
  for (const piece of kept.slice(0, -1)) {
    if (!mayGo(piece)) return { cut, heldBy: undefined };
    const heldBy = history.pins.find(({ keeps, seq }) => keeps === "history" && seq < piece.lastSeq);
    if (heldBy !== undefined) return { cut, heldBy };
    cut = piece;
  }
  return { cut, heldBy: undefined };
}

/** One that is there, if that keeps not much more than one that is made for it. Undefined: it stays as it is. */
function baseFor(
  { snapshots, history, wish }: RetentionFacts,
  cut: PieceSpan,
  first: PieceSpan | undefined,
  horizonMicros: number | undefined,
): RetentionPlan["base"] {
  const there = snapshots.findLast(
    ({ seq, isPoint }) => isPoint && seq >= history.basedOn && seq <= cut.lastSeq && !isGone(history, seq),
  );
  const beginMicros = there?.timeMicros ?? first?.earliestMicros ?? 0;
  const slackMicros = (wish.keepMicros ?? 0) * historySlack;
  const isNear = horizonMicros !== undefined && horizonMicros - beginMicros <= slackMicros;
  if (there?.seq === cut.lastSeq || isNear) {
    if (there === undefined || there.seq <= history.basedOn) return undefined;
    return { seq: there.seq, isThere: true, reason: "the last snapshot before what is to be kept" };
  }
  return { seq: cut.lastSeq, isThere: false, reason: "the last record of the pieces before what is to be kept" };
}

function isGone({ withdrawn }: HistoryDocument, seq: number): boolean {
  return withdrawn.includes(seq);
}

function expiredPieces(pieces: readonly PieceSpan[], history: HistoryDocument, baseSeq: number): ExpiredPiece[] {
  return pieces.slice(0, -1).flatMap((piece) => {
    const { firstSeq, lastSeq } = piece;
    if (isBehind(piece, history)) return [{ firstSeq, lastSeq, reason: "was expired before, and is still there" }];
    return lastSeq <= baseSeq ? [{ firstSeq, lastSeq, reason: `the history begins with snapshot ${baseSeq}` }] : [];
  });
}

function expiredSnapshots({ snapshots, history }: RetentionFacts, baseSeq: number): ExpiredSnapshot[] {
  const pinned = new Set(history.pins.filter(({ keeps }) => keeps === "snapshot").map(({ seq }) => seq));
  return snapshots.flatMap(({ seq }) => {
    if (isGone(history, seq)) return [{ seq, reason: "it was removed" }];
    const isExpired = seq < baseSeq && !pinned.has(seq);
    return isExpired ? [{ seq, reason: `the history begins with snapshot ${baseSeq}` }] : [];
  });
}
