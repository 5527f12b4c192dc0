/**
 * By how much the clock that records have their times from was put ahead, in all of a group's history that is sealed. Of that
 * much no time has passed: it makes nothing older.
 *
 * A jump is told by a `clock` record close behind the first record with a time beyond it. Records that are just far apart, since
 * nobody wrote, have none. Only pages are read in which time makes such a step.
 *
 * Invariant: what is not known counts as a jump, so that history is kept longer than it has to be, never shorter.
 */
import { clockToleranceMicros } from "#src/core/store-limits.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";

const toldWithinMicros = 600e6;

/** From one record to the next; it is not known yet whether nobody wrote or the clock was put ahead. */
export interface TimeStep {
  readonly fromMicros: number;
  readonly toMicros: number;
}

/** What is known behind some records. */
export interface JumpState {
  readonly jumpedMicros: number;
  /** Of the last record; undefined: there is none. */
  readonly lastMicros: number | undefined;
  readonly open: TimeStep | undefined;
  /** Records follow that nobody can read. */
  readonly isBlind: boolean;
}

export const noJumps: JumpState = { jumpedMicros: 0, lastMicros: undefined, open: undefined, isBlind: false };

/** What is open at the end counts. */
export function jumpedMicrosOf({ jumpedMicros, open }: JumpState): number {
  return jumpedMicros + (open === undefined ? 0 : lengthOf(open));
}

/** What is known behind the piece, which follows what `before` is known of. */
export async function jumpsBehind(piece: SealedPiece, before: JumpState): Promise<JumpState> {
  let state = before.isBlind ? seeingAgain(before, piece.numbers.earliestMicros) : before;
  for (let number = 0; number < piece.recordPageCount; number++) {
    const { timeMicros } = piece.recordPagePlace(number);
    const stepMicros = timeMicros - (state.lastMicros ?? piece.numbers.earliestMicros);
    if (state.open === undefined && stepMicros < clockToleranceMicros) state = { ...state, lastMicros: timeMicros };
    else state = await jumpsBehindPage(piece, number, state);
  }
  return state;
}

function seeingAgain(before: JumpState, timeMicros: number): JumpState {
  const unknownMicros = Math.max(0, timeMicros - (before.lastMicros ?? timeMicros));
  const jumpedMicros = jumpedMicrosOf(before) + unknownMicros;
  return { jumpedMicros, lastMicros: timeMicros, open: undefined, isBlind: false };
}

async function jumpsBehindPage(piece: SealedPiece, number: number, before: JumpState): Promise<JumpState> {
  try {
    const { records } = await piece.recordPage(number);
    return records.reduce(jumpsBehindRecord, before);
  } catch (error) {
    if (!(error instanceof ObjectDamageError)) throw error;
    return seeingAgain(before, piece.recordPagePlace(number).timeMicros);
  }
}

type TimedRecord = Pick<JournalRecord, "type" | "timeMicros" | "extra">;

export function jumpsBehindRecord(before: JumpState, record: TimedRecord): JumpState {
  const { timeMicros } = record;
  const { jumpedMicros, lastMicros = timeMicros } = before;
  const step = { fromMicros: lastMicros, toMicros: timeMicros };
  const open = lengthOf(step) >= clockToleranceMicros ? step : stillOpen(before.open, timeMicros);
  const after = { lastMicros: timeMicros, isBlind: false };
  if (record.type !== recordType.clock || open === undefined) return { ...after, jumpedMicros, open };
  const wallMicros = decodeExtra(record.extra)?.wallMicros;
  // Told to be at an earlier time, the clock was put back, and nobody had written before.
  const isAhead = typeof wallMicros !== "number" || wallMicros >= open.toMicros - clockToleranceMicros;
  const jumped = isAhead ? lengthOf(open) : 0;
  return { ...after, jumpedMicros: jumpedMicros + jumped, open: undefined };
}

/** The record that tells of a jump comes close behind the first ones with a time beyond it, if there is room in the spool. */
function stillOpen(open: TimeStep | undefined, timeMicros: number): TimeStep | undefined {
  return open !== undefined && timeMicros - open.toMicros < toldWithinMicros ? open : undefined;
}

function lengthOf({ fromMicros, toMicros }: TimeStep): number {
  return toMicros - fromMicros;
}
