/**
 * What the records between two snapshots say besides where blocks are: what becomes of the volumes themselves, and which is the last
 * one. Pages that can say nothing of the kind are surveyed only; where the later snapshot lies within a piece, what its records
 * up to there touch is gathered too, since the piece's index says it of its end.
 */
import { type BlockExtent, extentOf } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type VolumeState, VolumeStates } from "./volume-state.ts";

export interface RecordsBetween {
  readonly last: JournalRecord;
  readonly states: readonly VolumeState[];
  /** Of the last piece, where the snapshot lies within it. */
  readonly touches: BlockTouches | undefined;
}

export interface WantedRecords {
  readonly pieces: readonly SealedPiece[];
  readonly afterSeq: number;
  readonly seq: number;
  /** As they are after `afterSeq`. */
  readonly states: readonly VolumeState[];
  readonly control: WorkControl;
}

/** Undefined: there are none. */
export async function recordsBetween(wanted: WantedRecords): Promise<RecordsBetween | undefined> {
  const { pieces, afterSeq, seq, control } = wanted;
  const states = new VolumeStates(wanted.states);
  let last: JournalRecord | undefined;
  let touches: BlockTouches | undefined;
  for (const piece of pieces) {
    const isWhole = piece.numbers.lastSeq <= seq;
    if (!isWhole) touches = new BlockTouches();
    const records = isWhole ? tellingRecords(piece, afterSeq, states) : piece.records(afterSeq);
    for await (const record of records) {
      if (record.seq > seq) break;
      states.saw(record);
      const extent = touches === undefined ? undefined : touchOf(record);
      if (extent !== undefined) touches?.add(extent);
      last = record;
    }
    await control.pace(piece.sizeBytes);
  }
  return last === undefined ? undefined : { last, states: states.all, touches };
}

/** The last one among them, without pages of which all records leave the states as they are. */
async function* tellingRecords(
  piece: SealedPiece,
  afterSeq: number,
  states: VolumeStates,
): AsyncGenerator<JournalRecord, void> {
  for (let number = 0; number < piece.recordPageCount; number++) {
    if (piece.recordPagePlace(number).lastSeq <= afterSeq) continue;
    const isLast = number === piece.recordPageCount - 1;
    if (!isLast && states.areLeftBy(await piece.recordPageSurvey(number))) continue;
    for (const record of (await piece.recordPage(number)).records) if (record.seq > afterSeq) yield record;
  }
}

function touchOf(record: JournalRecord): BlockExtent | undefined {
  return extentOf(record, record.extra);
}
