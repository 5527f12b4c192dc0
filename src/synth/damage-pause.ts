/** When whoever has met damage looks whether it is still there: it may have been repaired. Ever more rarely while it is. */
import { imageDamageMsMax, imageDamageMsMin } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";

export class DamagePause {
  readonly #clock: Clock;
  /** Since when what is damaged is taken to be, and for how long. */
  #lookedAtMs: number;
  #pauseMs = imageDamageMsMin;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAtMs = clock.monotonicMs();
  }

  /** Whether it was not looked lately. Who hears that it was not looks now. */
  mayLook(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = nowMs - this.#lookedAtMs;
    if (sinceMs < this.#pauseMs) return false;
    this.#lookedAtMs = nowMs;
    // What is met after a long time is another damage.
    this.#pauseMs = sinceMs > 2 * imageDamageMsMax ? imageDamageMsMin : Math.min(2 * this.#pauseMs, imageDamageMsMax);
    return true;
  }

  /** A look counts from its end on, however long it took: else whoever waited for it would look again at once, and so on. */
  looked(): void {
    this.#lookedAtMs = this.#clock.monotonicMs();
  }
}
