/** Somebody who looks at a program again and again while it is at work, and notes how long he waits for each answer. */
import { setTimeout as wait } from "node:timers/promises";

export interface Looks {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly highestMs: number;
}

export class Watcher {
  readonly #url: string;
  readonly #everyMs: number;
  readonly #tookMs: number[] = [];
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(url: string, everyMs: number) {
    this.#url = url;
    this.#everyMs = everyMs;
    this.#done = this.#watch();
    // Told by `end`.
    this.#done.catch(() => {});
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const beganMs = performance.now();
      const response = await fetch(this.#url);
      await response.text();
      if (!response.ok) throw new Error(`${this.#url} answers ${response.status}`);
      const tookMs = performance.now() - beganMs;
      this.#tookMs.push(tookMs);
      await wait(Math.max(0, this.#everyMs - tookMs));
    }
  }

  async end(): Promise<Looks> {
    this.#isOver = true;
    await this.#done;
    return looksOf(this.#tookMs);
  }
}

export function looksOf(tookMs: readonly number[]): Looks {
  const sorted = [...tookMs].sort((one, other) => one - other);
  // The one that so many took no longer than.
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50Ms: rank(0.5), p99Ms: rank(0.99), highestMs: rank(1) };
}
