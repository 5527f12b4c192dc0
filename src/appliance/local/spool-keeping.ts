/**
 * Up to which record the spool need not keep what the remote has: what the store alone would give back, or what the remote
 * has durably as soon as the rest is more than the spool is to keep for the day on which the remote loses its journals. Pure.
 */
import type { Watermarks } from "#src/wire/group-link.ts";
import type { GroupPolicy } from "./group-policy.ts";

/** Of the spool: the rest is for what the remote does not have. */
const keptShareMax = 1 / 4;

export interface KeptSpool {
  /** What it has of the records behind this one. */
  bytesAfter(seq: number): number;
}

type KeepPolicy = Pick<GroupPolicy, "spoolKeepBytes" | "spoolLimitBytes">;

export function remoteHasSeq({ durable, stored }: Watermarks, spool: KeptSpool, policy: KeepPolicy): number {
  const keepBytes = Math.min(policy.spoolKeepBytes, policy.spoolLimitBytes * keptShareMax);
  return stored < durable && spool.bytesAfter(stored) > keepBytes ? durable : stored;
}
