/**
 * Which pieces of a group's history are folded, and to which level: what is older than a step of the policy says to the level of that
 * step, and what was written at a coarse level to that one.
 *
 * Invariants: nothing is folded to a finer level than it has; neither the newest piece, nor one that is expired, nor one with a record
 * behind what a pin holds history from; nothing by its age while clocks disagree.
 */
import { ageingSlack, foldedPiecesMax, sealedPieceRecordsMax } from "#src/core/store-limits.ts";
import type { HistoryDocument, HistoryPin } from "./history-document.ts";
import type { PieceSpan } from "./retention-plan.ts";
import type { TrustedTime } from "./trusted-time.ts";

export interface AgeingStep {
  /** What is older keeps points so many seconds apart. */
  readonly afterMicros: number;
  readonly level: number;
}

export interface AgeingPolicy {
  /** Ever older, ever coarser. */
  readonly steps: readonly AgeingStep[];
  /** Of what is younger marks stay points, whatever the level. `Infinity`: always. */
  readonly marks: { readonly quiescedMicros: number; readonly otherMicros: number };
  /** What was written at a coarse level waits until the interval in which a piece of it ends is over. */
  readonly isPatient?: boolean;
}

export interface AgeingPiece extends PieceSpan {
  /** To which it was folded; 0: it was not. */
  readonly level: number;
  /** Of a data journal that it has changes in and is not folded to; 0: there is none. */
  readonly coarseLevel: number;
  readonly recordCount: number;
}

export interface AgeingFacts {
  readonly time: TrustedTime;
  readonly policy: AgeingPolicy;
  readonly history: HistoryDocument;
  /** All that count, in their order. */
  readonly pieces: readonly AgeingPiece[];
}

/** One piece is made of those from one to another. */
export interface PlannedFold {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly pieceCount: number;
  /** What is in the pieces' own data journals stays as coarse as it is where this is finer. */
  readonly level: number;
}

export interface AgeingPlan {
  /** Why nothing is folded by its age. */
  readonly alarm: TrustedTime["alarm"];
  readonly folds: readonly PlannedFold[];
  /** The pin but for which more would be folded. */
  readonly heldBy: HistoryPin | undefined;
}

interface DuePiece {
  readonly piece: AgeingPiece;
  readonly level: number;
  /** For how long it has been so old. */
  readonly dueMicros: number;
  readonly afterMicros: number;
}

export function ageingPlan(facts: AgeingFacts): AgeingPlan {
  const { time, history, pieces } = facts;
  const folds: PlannedFold[] = [];
  let heldBy: HistoryPin | undefined;
  let row: DuePiece[] = [];
  const endRow = (): void => {
    if (row.length > 0 && isWorthIt(row)) folds.push(foldOf(row));
    row = [];
  };
  for (const piece of pieces.slice(0, -1)) {
    const due = isExpired(piece, history) ? undefined : dueOf(piece, facts);
    const pin = due === undefined ? undefined : holderOf(piece, history);
    heldBy ??= pin;
    if (due === undefined || pin !== undefined) {
      endRow();
      continue;
    }
    if (!fits(row, due)) endRow();
    row.push(due);
  }
  endRow();
  return { alarm: time.alarm, folds, heldBy };
}

function isExpired({ lastSeq }: AgeingPiece, { behind }: HistoryDocument): boolean {
  return behind !== undefined && lastSeq <= behind.lastSeq;
}

/** A pin holds all from its record on; what is before it may be folded, since a point stays behind each piece. */
function holderOf({ lastSeq }: AgeingPiece, { pins }: HistoryDocument): HistoryPin | undefined {
  return pins.find((pin) => holdsBehind(pin, lastSeq));
}

export function holdsBehind({ keeps, seq }: HistoryPin, lastSeq: number): boolean {
  return keeps === "history" && seq < lastSeq;
}

function dueOf(piece: AgeingPiece, { time, policy, pieces }: AgeingFacts): DuePiece | undefined {
  const ageMicros = time.alarm === undefined ? time.micros - piece.latestMicros : Number.NEGATIVE_INFINITY;
  const step = policy.steps.findLast(({ afterMicros }) => ageMicros >= afterMicros);
  const level = step?.level ?? 0;
  if (level > piece.level) {
    const { afterMicros } = step as AgeingStep;
    return { piece, level, dueMicros: ageMicros - afterMicros, afterMicros };
  }
  if (policy.isPatient === true && !isOver(piece, pieces.at(-1) as AgeingPiece)) return undefined;
  // At which level what was written, the records say themselves.
  return piece.coarseLevel > 0 ? { piece, level: piece.level, dueMicros: 0, afterMicros: 0 } : undefined;
}

/** A record of a later interval has come. */
function isOver({ latestMicros, coarseLevel }: AgeingPiece, newest: AgeingPiece): boolean {
  const intervalMicros = coarseLevel * 1e6;
  return Math.floor(latestMicros / intervalMicros) < Math.floor(newest.latestMicros / intervalMicros);
}

function fits(row: readonly DuePiece[], { piece, level }: DuePiece): boolean {
  if (row.length >= foldedPiecesMax || (row[0] !== undefined && row[0].level !== level)) return false;
  return row.reduce((sum, due) => sum + due.piece.recordCount, piece.recordCount) <= sealedPieceRecordsMax;
}

/** One large piece is made of what comes to be due in a while, and not one of each. */
function isWorthIt(row: readonly DuePiece[]): boolean {
  const [first] = row as readonly [DuePiece];
  if (first.dueMicros >= first.afterMicros * ageingSlack) return true;
  return row.reduce((sum, { piece }) => sum + piece.recordCount, 0) >= sealedPieceRecordsMax / 2;
}

function foldOf(row: readonly DuePiece[]): PlannedFold {
  const [first] = row as readonly [DuePiece];
  const last = (row.at(-1) as DuePiece).piece;
  return { firstSeq: first.piece.firstSeq, lastSeq: last.lastSeq, pieceCount: row.length, level: first.level };
}
