/**
 * How long things took, counted in buckets of fixed bounds: what a thread counts at work, and what is published of it. No
 * object is made for what is noted.
 */
import { assert } from "./assert.ts";

/** Of what a host waits for, in seconds: from what memory takes to what makes it give up. */
export const requestBoundsSeconds: readonly number[] = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Of work in the background. */
export const workBoundsSeconds: readonly number[] = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
];

/** Plain data. */
export interface DurationFigures {
  readonly boundsSeconds: readonly number[];
  /** Of each bound those that took no longer, and longer than the bound before; last those beyond all. */
  readonly counts: readonly number[];
  readonly seconds: number;
}

export class DurationCounts {
  readonly #boundsSeconds: readonly number[];
  readonly #boundsMs: Float64Array;
  readonly #counts: Float64Array;
  #sumMs = 0;

  constructor(boundsSeconds: readonly number[]) {
    assert(
      boundsSeconds.every((bound, index) => bound > (boundsSeconds[index - 1] ?? 0)),
      "bounds grow",
    );
    this.#boundsSeconds = boundsSeconds;
    this.#boundsMs = Float64Array.from(boundsSeconds, (seconds) => seconds * 1000);
    this.#counts = new Float64Array(boundsSeconds.length + 1);
  }

  /** `count`: so many took just that. */
  note(milliseconds: number, count = 1): void {
    let index = 0;
    while (index < this.#boundsMs.length && milliseconds > (this.#boundsMs[index] as number)) index++;
    this.#counts[index] = (this.#counts[index] as number) + count;
    this.#sumMs += milliseconds * count;
  }

  get figures(): DurationFigures {
    return { boundsSeconds: this.#boundsSeconds, counts: [...this.#counts], seconds: this.#sumMs / 1000 };
  }
}
