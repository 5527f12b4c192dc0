/** The records of a group as the store alone has them, for those who may ask for what is not kept any more. */
import { RefuseError } from "#src/core/errors.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { type SealedRecordsPlace, sealedRecords } from "#src/journals/sealed-records.ts";
import { readHistory } from "./history-document.ts";

/**
 * Those behind `afterSeq` in their order. Throws a `RefuseError` where the first of them has expired, which is no damage, and
 * else as `sealedRecords` does.
 */
export async function* keptRecords(place: SealedRecordsPlace, afterSeq: number): AsyncGenerator<JournalRecord, void> {
  const { behind } = (await readHistory(place.objects, place.group)).document;
  if (behind !== undefined && afterSeq < behind.lastSeq) {
    const gone = `the records from ${afterSeq + 1} to ${behind.lastSeq} are not kept any more`;
    throw new RefuseError(`${gone}: the history of the group begins behind them`);
  }
  yield* sealedRecords(place, afterSeq);
}
