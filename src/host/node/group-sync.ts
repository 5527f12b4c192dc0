/**
 * Many ask for a sync, few are made: whoever asks while one runs shares the next one, since the one that runs may have
 * passed over the newest writes already. At most one is under way, so one slow disk takes one of the threads that
 * Node has for all files.
 *
 * After a failure Linux calls the lost pages clean and the next sync a success; here the first error is repeated for ever.
 */
import type { DoneCallback } from "../block-device.ts";

export class GroupSync {
  readonly #start: (done: DoneCallback) => void;
  readonly #idle: () => void;
  #waiting: DoneCallback[] = [];
  #running = false;
  #failure: Error | null = null;

  /** `start` begins a sync and calls back later; `idle` is called each time after all that asked were answered. */
  constructor(start: (done: DoneCallback) => void, idle: () => void) {
    this.#start = start;
    this.#idle = idle;
  }

  get running(): boolean {
    return this.#running;
  }

  sync(done: DoneCallback): void {
    this.#waiting.push(done);
    if (!this.#running) this.#run();
  }

  #run(): void {
    const served = this.#waiting;
    this.#waiting = [];
    this.#running = true;
    const finish = (error: Error | null): void => this.#finish(served, error);
    if (this.#failure === null) this.#start(finish);
    else setImmediate(finish, this.#failure);
  }

  #finish(served: readonly DoneCallback[], error: Error | null): void {
    this.#failure ??= error;
    // Still running while they are told, so that a sync asked for in a callback waits for the others to be told.
    for (const done of served) done(this.#failure);
    this.#running = false;
    if (this.#waiting.length > 0) this.#run();
    else this.#idle();
  }
}
