/** Bounds of differences between points, and of restores. */
import { assert } from "./assert.ts";
import { blockBytes, KiB, MiB } from "./limits.ts";

// Differences
/** Ranges that are told together. */
export const differencePageRanges = 1024;
/** Ranges of one answer: whoever wants more asks again, from where it ended. */
export const differenceRangesMax = 10_000;
/** Sealed pieces are gone through instead of a tree where they are not more, and have not more in all than the largest so many times. */
export const differencePiecesMax = 16;
export const differenceRepeatsMax = 8;
/** Points that a view is compared with, each a metadata context of its export. */
export const viewSinceMax = 16;

// Restores
/** A stretch of a target is checked as one, and copied again as one where it is not as it was: from 1 MiB on, and so many at most. */
export const restoreStretchBytesMin = 1 * MiB;
export const restoreStretchesMax = 2 ** 20;
/** Stretches that are copied at the same time; each has a buffer of `restoreStretchBytesMin`. */
export const restoreReaders = 8;
/** After so many bytes written all of them are synced, and noted as done. */
export const restoreSyncBytes = 256 * MiB;
/** Runs of zeros that are this long at least are not written, but left as holes. */
export const restoreHoleBytesMin = 64 * KiB;
/** Ranges that cannot be read, one by one in the report; of the others only their sum is told. */
export const restoreFindingsMax = 100;
/** So often the process of a restore tells how far it is. */
export const restoreNewsMs = 500;
export const restoreIdBytes = 16;
/** So long it is waited for the remote appliance to get more of what was written to a volume before; then it is tried again later. */
export const restoreMarkMs = 60_000;
/** So long it is waited for a mark that somebody has set just before, at the other site. */
export const restoreMarkArrivalMs = 10_000;
/** Restores that are under way at the same time. */
export const restoresAtOnce = 4;

assert(restoreStretchBytesMin % blockBytes === 0, "stretches are of whole blocks");
assert(restoreHoleBytesMin % blockBytes === 0, "holes are of whole blocks");
