import { setTimeout as pause } from "node:timers/promises";

/**
 * How long a test waits for what surely comes: for an event, never for a time. What is well comes within milliseconds and costs
 * nothing of it, so there is enough for a machine that is slow, shared, and at work on another suite.
 */
export const patienceMs = 120_000;

/** For `vi.waitFor` and `expect.poll`, whose own second is too little where another process has to do something first. */
export const patience = { timeout: patienceMs, interval: 20 };

const firstPauseMs = 10;
const lastPauseMs = 100;

/**
 * Looks until it is there, and answers what was seen; fails with what the last look failed with. Soon again at first, and ever less
 * often: asking two programs how they are takes as much of a processor, fifty times a second, as what they do meanwhile.
 */
export async function whenSeen<Seen>(look: () => Seen | Promise<Seen>): Promise<Seen> {
  const endMs = performance.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(1.5 * pauseMs, lastPauseMs)) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await pause(pauseMs);
  }
}
