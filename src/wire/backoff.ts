/** How long to wait before the next attempt: longer each time, and never the same for many who lost their peer at once. */
import { wireBackoffMsMax, wireBackoffMsMin, wireRefusedMs } from "#src/core/limits.ts";
import type { Randomness } from "#src/host/randomness.ts";

const doublingsMax = 16;

/** Between half of the delay and all of it. */
export function backoffMs(failureCount: number, randomness: Randomness): number {
  return jittered(Math.min(wireBackoffMsMax, wireBackoffMsMin * 2 ** Math.min(failureCount, doublingsMax)), randomness);
}

export function refusedMs(randomness: Randomness): number {
  return jittered(wireRefusedMs, randomness);
}

function jittered(delayMs: number, randomness: Randomness): number {
  const half = Math.ceil(delayMs / 2);
  return half + randomness.integerBelow(half + 1);
}
