/**
 * How fast a long work may go on: so many bytes a second, and while something hurries more, such as sealing, only a part of
 * the time. It never stands still for it: room that is to be freed is freed also beside sealing without end. Pure.
 */
import { workBurstMs, workRestFactor } from "#src/core/store-limits.ts";

export class WorkPace {
  readonly #bytesPerSecondMax: number;
  /** When all that was done has been paid for. */
  #paidAtMs = Number.NEGATIVE_INFINITY;
  /** Since then it has been at work. */
  #pieceSinceMs: number;

  /** No rate: `Infinity`. */
  constructor(bytesPerSecondMax: number, nowMs: number) {
    this.#bytesPerSecondMax = bytesPerSecondMax;
    this.#pieceSinceMs = nowMs;
  }

  /** So many bytes were read or written by now; how long to wait with the next. */
  waitMs(nowMs: number, byteLength: number, isOtherHurried: boolean): number {
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - workBurstMs) + (byteLength * 1000) / this.#bytesPerSecondMax;
    const restMs = isOtherHurried ? (nowMs - this.#pieceSinceMs) * workRestFactor : 0;
    return Math.max(0, restMs, this.#paidAtMs - nowMs);
  }

  /** It goes on. */
  resumed(nowMs: number): void {
    this.#pieceSinceMs = nowMs;
  }
}
