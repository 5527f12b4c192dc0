/** What somebody wanted for a while, and ends by itself when nobody has asked for it again. */
import type { Clock, Timer } from "#src/host/clock.ts";

export class Leases {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock, lastsMs: number) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
  }

  /** `end` is called once, so long after the last time that this was called with the same key. */
  renew(key: string, end: () => void): void {
    this.#timers.get(key)?.cancel();
    const timer = this.#clock.timer(this.#lastsMs, () => {
      this.#timers.delete(key);
      end();
    });
    this.#timers.set(key, timer);
  }

  has(key: string): boolean {
    return this.#timers.has(key);
  }

  /** It is over, and does not end any more. */
  drop(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  /** None of them ends any more. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
