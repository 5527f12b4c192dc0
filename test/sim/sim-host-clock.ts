/** The clock as one simulated host sees it: it believes its own wall time, and its timers die with its processes. */
import type { Clock, Timer } from "#src/host/clock.ts";
import type { SimClock } from "./sim-clock.ts";

/** Some moment, so that no test passes because the time is near 0. */
const wallMsAtStart = Date.UTC(2031, 4, 17, 9, 30);
const hostMsAtStart = 86_400_000;

export class SimHostClock implements Clock {
  readonly #world: SimClock;
  readonly #timers = new Set<Timer>();
  #wallOffsetMs = wallMsAtStart;
  #life = 0;

  constructor(world: SimClock) {
    this.#world = world;
  }

  monotonicMs(): number {
    return this.#world.nowMs;
  }

  /** Not to be taken for the other one. */
  hostMs(): number {
    return this.#world.nowMs + hostMsAtStart;
  }

  wallMs(): number {
    return Math.floor(this.#world.nowMs + this.#wallOffsetMs);
  }

  /** A person or a time server sets the wall clock, back or forward. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  timer(delayMs: number, callback: () => void): Timer {
    const event = this.#world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    const timer = {
      cancel: () => {
        this.#timers.delete(timer);
        event.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  soon(callback: () => void): void {
    this.timer(0, callback);
  }

  /** A call that blocks takes this long. */
  elapse(durationMs: number): void {
    this.#world.elapse(durationMs);
  }

  /** Which of the host's lives this is: what was begun in another must not go on. */
  get life(): number {
    return this.#life;
  }

  endLife(): void {
    this.#life++;
    for (const timer of this.#timers) timer.cancel();
  }
}
