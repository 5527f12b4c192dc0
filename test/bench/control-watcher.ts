/** Somebody who looks at a program again and again while it is at work, and notes how long he waits for each answer. */
import { setTimeout } from "node:timers/promises";

export interface Looks {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly highestMs: number;
}

export interface WatchTime {
  nowMs(): number;
  wait(ms: number): Promise<unknown>;
}

const realTime: WatchTime = { nowMs: () => performance.now(), wait: (ms) => setTimeout(ms) };

/** Fails where the program has answered anything but what it was asked for. */
export async function lookAt(url: string): Promise<void> {
  const response = await fetch(url);
  await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
}

export class Watcher {
  readonly #look: () => Promise<void>;
  readonly #everyMs: number;
  readonly #time: WatchTime;
  readonly #tookMs: number[] = [];
  #endMs = Number.POSITIVE_INFINITY;
  readonly #done: Promise<void>;

  constructor(look: () => Promise<void>, everyMs: number, time = realTime) {
    this.#look = look;
    this.#everyMs = everyMs;
    this.#time = time;
    this.#done = this.#watch();
    // Told by `end`.
    this.#done.catch(() => {});
  }

  /**
   * A look that has to wait for the answer to the one before counts from when it was due: else a program that stands still for a
   * second would be late once, and not fifty times. That this process itself is woken late is not that program's fault.
   */
  async #watch(): Promise<void> {
    let dueMs = this.#time.nowMs();
    while (dueMs < this.#endMs) {
      const restMs = dueMs - this.#time.nowMs();
      if (restMs > 0) await this.#time.wait(restMs);
      const countedMs = restMs < 0 ? dueMs : this.#time.nowMs();
      await this.#look();
      this.#tookMs.push(this.#time.nowMs() - countedMs);
      dueMs = countedMs + this.#everyMs;
    }
  }

  async end(): Promise<Looks> {
    this.#endMs = this.#time.nowMs();
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
