/**
 * How long ago records were added, by a clock that never jumps: the times in the records are for people, who set clocks.
 * Those that were there at the start are as old as their times said then.
 *
 * Invariants: samples grow in seq and in time; they are at most `ageSampleCountMax`.
 */
import { divFloor } from "#src/core/byte-range.ts";
import { ageSampleCountMax, ageSampleMsMin } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";

/** What is behind `seq` was added at that time or later. */
interface Sample {
  readonly seq: number;
  readonly atMs: number;
}

export class RecordAges {
  readonly #clock: Clock;
  readonly #startSeq: number;
  readonly #startWallMs: number;
  readonly #startMs: number;
  #samples: Sample[];
  #distanceMs = ageSampleMsMin;

  /** `startSeq`: of the last record that was there before. */
  constructor(clock: Clock, startSeq: number) {
    this.#clock = clock;
    this.#startSeq = startSeq;
    this.#startWallMs = clock.wallMs();
    this.#startMs = clock.monotonicMs();
    this.#samples = [{ seq: startSeq, atMs: this.#startMs }];
  }

  added(firstSeq: number): void {
    const atMs = this.#clock.monotonicMs();
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < this.#distanceMs) return;
    this.#samples.push({ seq: firstSeq - 1, atMs });
    if (this.#samples.length > ageSampleCountMax) this.#thinOut();
  }

  #thinOut(): void {
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#distanceMs *= 2;
  }

  /** Of the oldest record after `seq`, which has this time; rather too much than too little, by the distance of samples. */
  ageAfterMs(seq: number, timeMicros: number): number {
    const sinceStartMs = this.#clock.monotonicMs() - this.#startMs;
    if (seq < this.#startSeq) {
      return Math.max(0, this.#startWallMs - divFloor(timeMicros, 1000)) + sinceStartMs;
    }
    let known = 0;
    while (known + 1 < this.#samples.length && (this.#samples[known + 1] as Sample).seq <= seq) known++;
    this.#samples.splice(0, known);
    if (this.#samples.length === 1) this.#distanceMs = ageSampleMsMin;
    return this.#startMs + sinceStartMs - (this.#samples[0] as Sample).atMs;
  }
}
