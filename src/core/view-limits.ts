/** The bounds of views, with the arithmetic that ties them to the others. */
import { assert } from "./assert.ts";
import { KiB, MiB, sidePatienceMs } from "./limits.ts";

// What is written to a view
/** Zeros of a whole one take three bytes. */
export const viewRegionBlocks = 1024;
/** So the pause when one grows is a small one. */
export const viewTableCount = 256;
/** Blocks written, each of which takes some 30 bytes of memory: 64 GiB of them. Beyond that a view has no room. */
export const viewBlocksMax = 16 * MiB;
/** Payload that is gathered before it is written; a largest record fits. */
export const viewStageBytes = 2 * MiB;
/** A record counts its blocks in 32 bits. */
export const viewClearBlocksMax = 2 ** 31;
/** A piece of the journal of a view. */
export const viewPieceBytes = 16 * MiB;
/** Reads up to this size are answered at once where all is in memory, by way of memory of the view's own. */
export const viewSmallReadBytes = 64 * KiB;
/** An answer of what is a hole ends when it has looked at so many runs. */
export const viewStatusRunsMax = 16_384;
/** After a write that failed, it is tried again so often at most. */
export const viewReopenMs = 1_000;

// Views of a remote appliance
export const viewsMax = 256;
export const viewIdBytes = 16;
/** The process that serves them is waited for so long; opening a point takes a second, unless its disk takes its time. */
export const viewPatienceMs = 25_000;
/** What it tells of itself is waited for so long, and then shown as it was. */
export const viewLookMs = 500;
/** Where it owes an answer and has said nothing at all for so long, it is ended, and another one begun. */
export const viewSilenceMs = 120_000;
/** One that could not be opened is tried again, ever more rarely. */
export const viewRetryMsMin = 1_000;
export const viewRetryMsMax = 60_000;
/** One that somebody holds goes when he has not said for so long that he still does. */
export const viewLeaseMs = 60_000;
/** He says so this often. */
export const viewRenewMs = 10_000;
/** So long the process may take to end in good order. */
export const viewFarewellMs = 8_000;

// Copies of views
export const exportCopyPieceBytes = 1 * MiB;
export const exportCopyReadsMax = 8;

// Drills
/** Of the last ones it is kept what came of them. */
export const drillsKeptMax = 1_000;
/** Whether one is due is looked at so often. */
export const drillLookMs = 30_000;
/** One that could not begin is tried again after so long, where its next turn is not sooner. */
export const drillAgainMs = 600_000;

assert(viewPatienceMs < sidePatienceMs, "who opens a view hears of it");
assert(viewRenewMs * 3 <= viewLeaseMs, "who holds a view may be late once or twice");
assert(viewRegionBlocks < 2 ** 16, "the blocks of a region can be counted in 16 bits");
assert(viewStageBytes % (4 * KiB) === 0, "what is gathered are blocks");
