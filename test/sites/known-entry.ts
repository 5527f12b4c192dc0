/** What the spool must have had before any journal has it. */
import type { FoundEntry } from "./batch-reading.ts";
import type { KnownRecord, RecordHistory } from "./record-history.ts";
import { demand } from "./violation.ts";

/** The record that the entry speaks of, which the source site must have had first. */
export function demandKnown(history: RecordHistory, entry: FoundEntry): KnownRecord {
  const record = history.get(entry.seq);
  demand("prefix", record !== undefined, () => `the journal has seq ${entry.seq}, which the spool never had`);
  const known = record as KnownRecord;
  for (const field of ["type", "epoch", "volume", "time", "startBlock", "blockCount", "ordinal", "extra"] as const) {
    demand(
      "prefix",
      known[field] === entry[field],
      () => `the journal's seq ${entry.seq} has ${field} ${entry[field]}, the spool's has ${known[field]}`,
    );
  }
  return known;
}
