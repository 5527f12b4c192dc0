/** Which of a group's snapshots are points that are kept, and which objects are needed for those. */
import { RetryError, StopError } from "#src/core/errors.ts";
import { isObjectThere } from "#src/store/object-presence.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import type { HistoryDocument, HistoryPin } from "./history-document.ts";
import { snapshotName } from "./snapshot-format.ts";

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

/** Those that nothing else can stand in for, whether they are there or not: the base is the last, and pinned ones lie before it. */
export function neededAlone({ basedOn, pins }: HistoryDocument): number[] {
  if (basedOn === 0) return [];
  const pinned = pins.filter(({ keeps, seq }) => keeps === "snapshot" && seq < basedOn).map(({ seq }) => seq);
  return [...new Set(pinned), basedOn].sort((a, b) => a - b);
}

/**
 * Where a list of a store does not tell of snapshots that are known to be there, what only those need would pass for needed by
 * nobody. Throws a `RetryError` where one of them is there: a service may answer with a list of a while ago. A `StopError` where it
 * is lost and nothing else can stand in for it: that does not pass by itself. One behind the base can be made of pieces once more.
 */
export async function checkToldOf(
  objects: Pick<ReadableObjects, "sizeBytes">,
  there: readonly number[],
  { basedOn, pins }: HistoryDocument,
  group: string,
): Promise<void> {
  const known = pins.filter(({ keeps }) => keeps === "snapshot").map(({ seq }) => seq);
  for (const seq of [...known, ...(basedOn === 0 ? [] : [basedOn])].filter((one) => !there.includes(one))) {
    const name = snapshotName({ group, seq });
    if (await isObjectThere(objects, name)) {
      throw new RetryError(`the store does not tell of snapshot ${seq} of group ${group}`);
    }
    if (seq <= basedOn) throw lostAlone(name, seq === basedOn ? undefined : pins.find((pin) => pin.seq === seq));
  }
}

/** `pin`: nothing but that needs it. */
function lostAlone(name: string, pin: HistoryPin | undefined): StopError {
  const held = pin === undefined ? "" : `, or let go of what holds it, '${pin.id}' (${pin.reason})`;
  return new StopError(
    `the store has lost ${name}, from which points are made: put it back from a copy of the store${held}`,
  );
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
