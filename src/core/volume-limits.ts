/** The bounds of how long whoever adds, removes or unfences a volume waits. */
import { assert } from "./assert.ts";
import { shutdownGraceMs, sidePatienceMs } from "./limits.ts";

/** So long a new volume is tried to be opened before it is said that it cannot be. */
export const newVolumePatienceMs = 5_000;
/** So long one that is removed has for its hosts and for what is under way: then it is said that its source does not answer. */
export const removalPatienceMs = 3 * shutdownGraceMs;
/** So long what a source is at work on may take when it is closed: then it is said that it does not answer. */
export const sourceClosePatienceMs = 10_000;

assert(newVolumePatienceMs < sidePatienceMs, "that a new volume cannot be opened is said before it counts as slow");
assert(removalPatienceMs > 2 * shutdownGraceMs, "the link of a volume is let go of before its source is given up");
assert(removalPatienceMs < sidePatienceMs, "that a source does not answer is said before it counts as slow");
