/** When something of views that failed is tried again: ever more rarely, until it was done. */
import { viewRetryMsMax, viewRetryMsMin } from "#src/core/view-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";

export class ViewRetry {
  readonly #clock: Clock;
  readonly #again: () => void;
  #timer: Timer | undefined;
  #delayMs = viewRetryMsMin;
  #isStopped = false;

  constructor(clock: Clock, again: () => void) {
    this.#clock = clock;
    this.#again = again;
  }

  /** Nothing happens where it is waited already. */
  later(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = this.#clock.timer(this.#delayMs, () => {
      this.#timer = undefined;
      this.#again();
    });
    this.#delayMs = Math.min(this.#delayMs * 2, viewRetryMsMax);
  }

  /** All is done: the next failure is tried again soon. */
  done(): void {
    this.#delayMs = viewRetryMsMin;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }
}
