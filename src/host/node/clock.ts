/** This machine's clocks. */
import { assert } from "#src/core/assert.ts";
import type { Clock, Timer } from "../clock.ts";

/** Node's timers turn a longer delay into one millisecond. */
const nodeDelayMsMax = 2 ** 31 - 1;

/**
 * Node's timers count in whole milliseconds, on a coarse clock: start and end may each be off by nearly one, and a
 * timer would be called that much too early.
 */
const earlyMs = 2;

const nanosPerMs = 1e6;

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  // What `performance.now()` counts from is another moment in each process.
  hostMs: () => Number(process.hrtime.bigint()) / nanosPerMs,
  wallMs: () => Date.now(),
  timer: (delayMs, callback) => new NodeTimer(delayMs, callback),
  soon: (callback) => {
    setImmediate(callback);
  },
};

class NodeTimer implements Timer {
  readonly #callback: () => void;
  #remainingMs: number;
  #timeout: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void) {
    assert(delayMs >= 0 && Number.isFinite(delayMs), "a delay is a number of at least 0");
    this.#callback = callback;
    this.#remainingMs = Math.ceil(delayMs) + earlyMs;
    this.#arm();
  }

  #arm(): void {
    const delayMs = Math.min(this.#remainingMs, nodeDelayMsMax);
    this.#remainingMs -= delayMs;
    this.#timeout = setTimeout(() => this.#due(), delayMs);
  }

  #due(): void {
    if (this.#remainingMs > 0) this.#arm();
    else this.#callback();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
