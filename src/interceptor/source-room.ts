/**
 * Changes that a full source did not take. They are in the order already, so they must get there: they wait, in their
 * turns, and one of them is tried again from time to time. When it succeeds, so may the others.
 */
import { sourceFullRetryMs } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { RecordInFlight, RecordRunner } from "./record-in-flight.ts";

export class SourceRoom {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #runner: RecordRunner;
  readonly #waiting = new Set<RecordInFlight>();
  #timer: Timer | undefined;
  #isOver = false;

  constructor(clock: Clock, log: Log, runner: RecordRunner) {
    this.#clock = clock;
    this.#log = log;
    this.#runner = runner;
  }

  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** There was no room for it, maybe once more. */
  wait(record: RecordInFlight, error: Error): void {
    if (!this.isShort) this.#log.warn("the source is full: what it has to get is tried again", { error });
    this.#waiting.add(record);
    this.#timer ??= this.#clock.timer(sourceFullRetryMs, () => {
      this.#timer = undefined;
      const [first] = this.#waiting;
      if (first !== undefined) this.#tryAgain(first);
    });
  }

  /** It is in the source. */
  left(record: RecordInFlight): void {
    if (!this.#waiting.delete(record)) return;
    if (!this.isShort) this.#log.info("the source has room again");
    for (const other of [...this.#waiting]) this.#tryAgain(other);
  }

  #tryAgain(record: RecordInFlight): void {
    if (!this.#isOver && !record.isRunning) this.#runner.run(record);
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
