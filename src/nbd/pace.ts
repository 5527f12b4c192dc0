/**
 * Whether writes to a device are made at once, in the thread that serves, or by others while it goes on. At once is
 * several times faster while the page cache takes them, and a calamity while the disk is slow: then one write stops
 * everybody. Pure: fed with durations, asked before each write.
 */
import { paceProbeEvery, paceSlowMs, paceSlowSeriesMax } from "#src/core/nbd-limits.ts";

export class Pace {
  #slowSeries = 0;
  #sinceProbe = 0;

  /** True: write at once, and tell how long it took. */
  mayWriteNow(): boolean {
    if (this.#slowSeries < paceSlowSeriesMax) return true;
    // Every so often one write finds out whether the device is fast again.
    this.#sinceProbe++;
    if (this.#sinceProbe < paceProbeEvery) return false;
    this.#sinceProbe = 0;
    return true;
  }

  tookMs(durationMs: number): void {
    if (durationMs >= paceSlowMs) this.#slowSeries = Math.min(this.#slowSeries + 1, paceSlowSeriesMax);
    else this.#slowSeries = 0;
  }
}
