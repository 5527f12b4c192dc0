/**
 * What becomes of a log at the first place where it does not go on: every combination of what is found there and of what
 * is known about it, and the decision. Each combination has exactly one row.
 *
 * The one rule behind the table: what was ever promised to be durable is never dropped. A power cut may leave anything
 * beyond the last sync: nothing, torn batches, and whole batches behind them, since pages reach the disk in any order.
 */
export const logFindings = [
  /** A whole and sound batch that goes on where the one before ended. */
  "sound",
  /** Zeros, or what an earlier use of the file left, or no room for a batch. */
  "nothing",
  /** A batch begins, but its header is not what was written. */
  "brokenHeader",
  /** The header is sound, the heads are not. */
  "brokenHeads",
  /** Header and heads are sound, what they stand for is not. */
  "brokenPayload",
  /** A sound batch in its place whose seq does not follow. */
  "gap",
  /** A sound batch in its place, of another epoch, that does not say how it follows. */
  "foreignEpoch",
  /** The disk does not give the bytes. */
  "unreadable",
] as const;
export type LogFinding = (typeof logFindings)[number];

export const logEvidences = [
  /** Nothing of this log lies behind. */
  "none",
  /** Batches of this log lie behind; none of them says that anything from here on was durable. */
  "later",
  /** A batch of this log says that what should be here was durable. */
  "claimed",
  /** The caller knows it. */
  "known",
] as const;
export type LogEvidence = (typeof logEvidences)[number];

export type LogDecision =
  /** The batch belongs to the log. */
  | "accept"
  /** The log ends here, and nothing is lost. */
  | "end"
  /** The log ends here; what was written from here on, and never promised, is dropped. */
  | "tail"
  /** Something is missing that was promised: nothing may be dropped. */
  | "damage";

export interface LogRecoveryRow {
  readonly found: readonly LogFinding[];
  readonly evidence: readonly LogEvidence[];
  readonly decision: LogDecision;
}

const notSound = ["brokenHeader", "brokenHeads", "brokenPayload", "gap", "foreignEpoch"] as const;

export const logRecoveryTable: readonly LogRecoveryRow[] = [
  { found: ["sound"], evidence: ["none", "later", "claimed", "known"], decision: "accept" },
  { found: ["nothing"], evidence: ["none"], decision: "end" },
  { found: ["nothing"], evidence: ["later"], decision: "tail" },
  { found: notSound, evidence: ["none", "later"], decision: "tail" },
  { found: ["nothing", ...notSound], evidence: ["claimed", "known"], decision: "damage" },
  // Another try, or a repaired disk, may give them; until then nobody knows what they are.
  { found: ["unreadable"], evidence: ["none", "later", "claimed", "known"], decision: "damage" },
];

export function logDecision(found: LogFinding, evidence: LogEvidence): LogDecision {
  const row = logRecoveryTable.find((it) => it.found.includes(found) && it.evidence.includes(evidence));
  return (row as LogRecoveryRow).decision;
}
