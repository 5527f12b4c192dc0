/** When to connect again: soon at first, ever more rarely, and not all pages at the same moment. */
const firstMs = 500;
const longestMs = 30_000;

/** `attempt` counts from 0; `chance` is from 0 to 1. */
export function backOffMs(attempt: number, chance: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + chance / 2));
}
