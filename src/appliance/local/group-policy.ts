/** What an operator may choose for a group, and what it is unless chosen: the configuration's defaults come from here. */
import { aggregateBytesDefault, aggregateEveryMsDefault, GiB, MiB } from "#src/core/limits.ts";
import type { AggregatePolicy } from "./aggregate-gatherer.ts";
import type { AutoPolicy } from "./auto-mode.ts";
import type { ModePolicy } from "./mode-machine.ts";

export interface GroupPolicy {
  readonly mode: ModePolicy;
  readonly auto: AutoPolicy;
  readonly aggregate: AggregatePolicy;
  readonly spoolSegmentBytes: number;
  readonly spoolLimitBytes: number;
  /** What it keeps at most of what the remote has durably, and has not sealed into its store. */
  readonly spoolKeepBytes: number;
  /** Writers are slowed on the way to these: what the remote does not have durably, in bytes and in age. */
  readonly lagBytesMax: number;
  readonly lagMsMax: number;
  /** What becomes of volumes when the spool has been full for so long: they go on unprotected, or wait. */
  readonly overflow: "track" | "stall";
  readonly overflowAfterMs: number;
  /** After a loss of power: how long the remote is waited for, which may have what the spool lost. */
  readonly remoteAfterPowerLossMs: number;
  /** Seqs reserved durably at a time. */
  readonly seqReserve: number;
}

export const defaultGroupPolicy: GroupPolicy = {
  mode: {
    linkLoss: "degrade",
    degradeAfterMs: 10_000,
    returnAfterMs: 5_000,
    drainedBytes: 1 * MiB,
    tightenEveryMs: 500,
  },
  auto: {
    answerMsMax: 5,
    lagSecondsMax: 10,
    bytesPerSecondMax: Number.POSITIVE_INFINITY,
    downAfterMs: 5_000,
    upAfterMs: 60_000,
    upAfterMsMax: 3_600_000,
  },
  aggregate: { everyMs: aggregateEveryMsDefault, bytesMax: aggregateBytesDefault },
  spoolSegmentBytes: 64 * MiB,
  spoolLimitBytes: 4 * GiB,
  spoolKeepBytes: 0,
  lagBytesMax: 4 * GiB,
  lagMsMax: Number.POSITIVE_INFINITY,
  overflow: "track",
  overflowAfterMs: 10_000,
  remoteAfterPowerLossMs: 10_000,
  seqReserve: 4_000_000,
};
