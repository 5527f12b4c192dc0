/** Which of a group's snapshots are points that are kept, and which objects are needed for those. */
import { RetryError } from "#src/core/errors.ts";
import type { HistoryDocument } from "./history-document.ts";

/** Whether the snapshot is there for readers, and not only for those who point into it, or about to go. */
export function isKept({ basedOn, pins, withdrawn }: HistoryDocument, seq: number): boolean {
  if (withdrawn.includes(seq)) return false;
  return seq >= basedOn || pins.some((pin) => pin.keeps === "snapshot" && pin.seq === seq);
}

/** Points whatever the level of what lies around them: what was asked for, what a pin holds, and what the history begins with. */
export function pointsByThemselves({ basedOn, pins, asked }: HistoryDocument): number[] {
  return [basedOn, ...asked, ...pins.map(({ seq }) => seq)];
}

export function isPointByItself(history: HistoryDocument, seq: number): boolean {
  return pointsByThemselves(history).includes(seq);
}

/**
 * Throws a `RetryError` where a list of a store does not tell of snapshots that are known to be there: a service may answer
 * with one of a while ago, and what only those need would pass for needed by nobody.
 */
export function checkToldOf(there: readonly number[], { basedOn, pins }: HistoryDocument, group: string): void {
  const known = pins.filter(({ keeps }) => keeps === "snapshot").map(({ seq }) => seq);
  const missing = [...known, ...(basedOn === 0 ? [] : [basedOn])].find((seq) => !there.includes(seq));
  if (missing !== undefined) throw new RetryError(`the store does not tell of snapshot ${missing} of group ${group}`);
}

export interface SnapshotNeeds {
  readonly seq: number;
  /** The earlier ones that it points into. */
  readonly sourceSeqs: readonly number[];
}

/** Of all that are there, those that nobody needs: neither a point that is kept, nor one that those point into. */
export function unneededSnapshots(there: readonly number[], kept: readonly SnapshotNeeds[]): number[] {
  const needed = new Set(kept.flatMap(({ seq, sourceSeqs }) => [seq, ...sourceSeqs]));
  return there.filter((seq) => !needed.has(seq));
}
