/** What must have come to its end, whatever that is, before something else ends. */
import type { Clock } from "#src/host/clock.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";

export class WorkUnderWay {
  readonly #clock: Clock;
  readonly #works = new Set<Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add<Result>(work: Promise<Result>): Promise<Result> {
    const ended = (error?: unknown): void => {
      this.#works.delete(noted);
      raiseOwnFault(error, this.#clock);
    };
    const noted = work.then(() => ended(), ended);
    this.#works.add(noted);
    return work;
  }

  /** Also of what is added meanwhile. */
  async over(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works);
  }
}
