/**
 * How far the remote is behind, and how hard writers must be slowed for it. It tells the truth also while the link is
 * down: what counts is what the remote has said to have durably.
 */
import type { GroupPolicy } from "./group-policy.ts";
import type { RecordAges } from "./record-ages.ts";
import type { Spool } from "./spool.ts";

export interface Lag {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
}

export function lagOf(spool: Spool, ages: RecordAges, lastSeq: number, durableSeq: number): Lag {
  if (lastSeq <= durableSeq) return { records: 0, bytes: 0, seconds: 0 };
  const oldestMicros = spool.timeAfter(durableSeq);
  const ageMs = oldestMicros === undefined ? 0 : ages.ageAfterMs(durableSeq, oldestMicros);
  // Seqs that were left out are no records: what is not in the spool any more is at the remote, or never will be.
  const records = lastSeq - Math.max(durableSeq, spool.firstSeq - 1);
  return { records, bytes: spool.bytesAfter(durableSeq), seconds: ageMs / 1000 };
}

/**
 * 0 to 1 and beyond; from 1 on nothing may be added. `backlogBytesMax` is what a switch of the mode allows at the moment;
 * `ofLagMs` how much of the time is used that the lag may take.
 */
export function pressureOf(
  facts: { usedBytes: number; lag: Lag; backlogBytes: number; backlogBytesMax: number; ofLagMs: number },
  policy: GroupPolicy,
): number {
  return Math.max(
    facts.usedBytes / policy.spoolLimitBytes,
    facts.lag.bytes / policy.lagBytesMax,
    facts.ofLagMs,
    facts.backlogBytes / facts.backlogBytesMax,
  );
}
