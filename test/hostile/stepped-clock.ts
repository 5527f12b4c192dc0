/** Time that passes only when it is told to, in a world whose turns are real: for servers on real sockets. */
import type { Clock, Timer } from "#src/host/clock.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

export class SteppedClock implements Clock {
  readonly #world = new SimClock();

  monotonicMs(): number {
    return this.#world.nowMs;
  }

  hostMs(): number {
    return this.#world.nowMs;
  }

  wallMs(): number {
    return this.#world.nowMs;
  }

  timer(delayMs: number, callback: () => void): Timer {
    return this.#world.schedule(delayMs, callback);
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  pass(durationMs: number): void {
    this.#world.advance(durationMs);
  }
}
