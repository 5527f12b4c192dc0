/**
 * Whether it is worth while to compress what is sent: only while it had to wait for the link, and only as long as a good
 * part is saved. Pure; told of waits and results, and looks again from time to time.
 */
import { compressAfterWaitMs, compressAgainAfterMs, compressSavedMin, compressWaitMsMin } from "#src/core/limits.ts";

/** How much the newest result counts in the mean. */
const newestWeight = 1 / 4;

export class CompressionChoice {
  #lastWaitMs = Number.NEGATIVE_INFINITY;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** The mean part that was saved; undefined: nothing was tried since the last pause. */
  #saved: number | undefined;

  /** What was to be sent had to wait for so long, until now. */
  waited(durationMs: number, nowMs: number): void {
    if (durationMs >= compressWaitMsMin) this.#lastWaitMs = nowMs;
  }

  shouldTry(nowMs: number): boolean {
    return nowMs - this.#lastWaitMs <= compressAfterWaitMs && nowMs >= this.#pausedUntilMs;
  }

  /** Answers whether it is sent compressed. */
  tried(plainBytes: number, compressedBytes: number, nowMs: number): boolean {
    const saved = 1 - compressedBytes / plainBytes;
    this.#saved = this.#saved === undefined ? saved : this.#saved + (saved - this.#saved) * newestWeight;
    if (this.#saved < compressSavedMin) {
      this.#pausedUntilMs = nowMs + compressAgainAfterMs;
      this.#saved = undefined;
    }
    return compressedBytes <= plainBytes * (1 - compressSavedMin);
  }
}
