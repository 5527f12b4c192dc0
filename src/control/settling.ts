/** Waits for what is about to be so, and no longer than that is worth. */
import { settleLookMs } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";

export async function settled(isSo: () => boolean, clock: Clock, patienceMs: number): Promise<void> {
  const endMs = clock.monotonicMs() + patienceMs;
  while (!isSo() && clock.monotonicMs() < endMs) {
    await new Promise<void>((resolve) => clock.timer(settleLookMs, resolve));
  }
}
