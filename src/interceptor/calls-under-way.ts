/** Counts the calls of a source that have not called back, for whoever waits for the end of the last one. */
import type { DoneCallback } from "#src/host/block-device.ts";
import type { Clock } from "#src/host/clock.ts";

export class CallsUnderWay {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  /** What to hand on instead of `done`. A closure for each call: these are the ones that wait for a disk anyway. */
  enter(done: DoneCallback): DoneCallback {
    this.#count++;
    return (error) => {
      this.#count--;
      done(error);
      if (this.#count === 0) for (const tell of this.#waiting) tell();
    };
  }

  /** False: that takes longer. */
  async haveEnded(clock: Clock, patienceMs: number): Promise<boolean> {
    if (this.#count === 0) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = clock.timer(patienceMs, resolve);
    await promise;
    timer.cancel();
    this.#waiting.delete(resolve);
    return this.#count === 0;
  }
}
