/**
 * The times of records. They follow the host's clock as long as that behaves; they never go back nor
 * stand still, and a jump of the clock is noticed by comparing it with time that cannot jump. Pure.
 *
 * Invariant: each time is at least the one before.
 */

/** Less than this is how clocks are kept right, not a jump. */
const jumpMicrosMin = 1_000_000;

export class RecordClock {
  #lastMicros: number;
  /** Wall time less monotonic time, when last looked at. */
  #offsetMicros: number | undefined;
  #monotonicMicros: number | undefined;
  #jumpedTo: number | undefined;

  constructor(lastMicros: number) {
    this.#lastMicros = lastMicros;
  }

  get lastMicros(): number {
    return this.#lastMicros;
  }

  /** The time of a record that is made now. */
  next(wallMs: number, monotonicMs: number): number {
    const wallMicros = Math.round(wallMs * 1000);
    const offsetMicros = wallMicros - Math.round(monotonicMs * 1000);
    const movedMicros = Math.abs(offsetMicros - (this.#offsetMicros ?? offsetMicros));
    if (movedMicros >= jumpMicrosMin) this.#jumpedTo = wallMicros;
    this.#offsetMicros = offsetMicros;
    const monotonicMicros = Math.round(monotonicMs * 1000);
    const passedMicros = monotonicMicros - (this.#monotonicMicros ?? monotonicMicros);
    this.#monotonicMicros = monotonicMicros;
    // Behind a clock that was put back, time goes on at half its pace, until the clock has caught up.
    this.#lastMicros = Math.max(this.#lastMicros + Math.floor(passedMicros / 2), wallMicros);
    return this.#lastMicros;
  }

  /** Where the clock jumped to since this was last asked; undefined: it did not. */
  takeJump(): number | undefined {
    const jumpedTo = this.#jumpedTo;
    this.#jumpedTo = undefined;
    return jumpedTo;
  }
}
