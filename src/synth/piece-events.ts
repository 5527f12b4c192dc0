/**
 * What a piece's records say of volumes, marks and modes: the few among all that points are told by. Pages that have none of them are
 * not gone through record by record.
 */
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { recordType, wholeGroup } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";

/** Types of records that are events in the life of a volume or its group, besides marks. */
export const eventTypes: ReadonlySet<number> = new Set([
  recordType.mode,
  recordType.level,
  recordType.resize,
  recordType.epoch,
  recordType.clock,
  recordType.resyncBegin,
  recordType.resyncEnd,
  recordType.initialComplete,
  recordType.volume,
]);

/** Types of which each record counts. */
const telling: ReadonlySet<number> = new Set([...eventTypes, recordType.mark]);

/** Records whose order is known, and what lies between them is not. */
export interface DamagedRecords {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly finding: string;
}

export interface PieceEvents {
  /**
   * In their order: of all types that tell something, and of each volume the first record of whatever type, also behind
   * one that says of it that it joins, or that a resync ends. So `VolumeStates` comes to the same as with all of them.
   */
  readonly records: readonly JournalRecord[];
  /** Whether some of all its records stand for others. */
  readonly hasAggregates: boolean;
  readonly damaged: readonly DamagedRecords[];
}

export class EventFilter {
  /** Of which a record was there since they joined. */
  readonly #seen = new Set<number>();

  isTelling({ type, volume }: Pick<JournalRecord, "type" | "volume">): boolean {
    const isFirst = volume !== wholeGroup && !this.#seen.has(volume);
    // What follows the end of a resync says whether it was a first copy; and what level a volume has says nothing of it.
    const leavesOpen = type === recordType.volume || type === recordType.resyncEnd;
    if (leavesOpen) this.#seen.delete(volume);
    else if (isFirst && type !== recordType.level) this.#seen.add(volume);
    return isFirst || telling.has(type);
  }

  /** Whether a record of the volume was there since it joined: what only says what blocks hold is telling nothing then. */
  hasSeen(volume: number): boolean {
    return volume === wholeGroup || this.#seen.has(volume);
  }

  /** Whether none of a page's records can be. */
  passesOver(types: ReadonlySet<number>, volumes: readonly number[]): boolean {
    for (const type of types) if (telling.has(type)) return false;
    return volumes.every((volume) => volume === wholeGroup || this.#seen.has(volume));
  }
}

export async function eventsOf(piece: SealedPiece): Promise<PieceEvents> {
  const filter = new EventFilter();
  const records: JournalRecord[] = [];
  const damaged: DamagedRecords[] = [];
  let hasAggregates = false;
  for (let number = 0; number < piece.recordPageCount; number++) {
    try {
      const { types, volumes, hasAggregated } = await piece.recordPageSurvey(number);
      if (hasAggregated) hasAggregates = true;
      if (filter.passesOver(types, volumes)) continue;
      for (const record of (await piece.recordPage(number)).records) if (filter.isTelling(record)) records.push(record);
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      const { firstSeq, lastSeq } = piece.recordPagePlace(number);
      damaged.push({ firstSeq: number === 0 ? firstSeq : firstSeq + 1, lastSeq, finding: error.message });
    }
  }
  return { records, hasAggregates, damaged };
}
