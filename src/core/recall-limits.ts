/** Bounds of what a remote appliance asks its local ones for, because its store has lost it. */
import { assert } from "./assert.ts";
import { blockBytes, wireControlBytesMax } from "./limits.ts";

/** Blocks of one question: the answer is one small frame. */
export const recallBlocksMax = 15;
/** An answer that takes longer is not waited for. */
export const recallMs = 30_000;
/** Between two looks into a spool: each may read a few MiB, and hosts write meanwhile. */
export const spoolRecallPauseMs = 10;
/** Blocks that are asked for at a time, and so many are held in memory. */
export const scrubRecallMax = 1024;
/** So long a segment whose sums are lost in part is not sealed while nobody answers who may have its blocks. */
export const lostSumsWaitMs = 600_000;
/** Repairs that a scrub tells one by one. */
export const scrubRepairsTold = 64;

assert(8 + recallBlocksMax * blockBytes <= wireControlBytesMax, "what is asked for fits into one answer");
