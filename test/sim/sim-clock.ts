/**
 * Time that passes only when it is told to: a queue of events, each run when all earlier ones have been. Events of the
 * same time run in the order in which they were set. `SimClock` is the time of the whole simulated world.
 */
import { assert } from "#src/core/assert.ts";
import type { Timer } from "#src/host/clock.ts";

/** More events than any test needs: what goes on and on without end is a fault, and is told from a hang. */
const eventsMaxByDefault = 1_000_000;

interface Event extends Timer {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

export class SimClock {
  /** A heap: no event is due before the one at `(index - 1) >> 1`. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What is still to happen. */
  get pendingCount(): number {
    return this.#heap.filter(({ callback }) => callback !== undefined).length;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    assert(delayMs >= 0 && Number.isFinite(delayMs), "a delay is a number of at least 0");
    const event: Event = {
      dueMs: this.#nowMs + delayMs,
      order: this.#order++,
      callback,
      cancel() {
        this.callback = undefined;
      },
    };
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1);
    return event;
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    for (let event = this.#takeFirst(); event !== undefined; event = this.#takeFirst()) {
      const callback = event.callback;
      if (callback === undefined) continue;
      // Blocking calls may have taken the clock further than the event's own time: it is late then.
      this.#nowMs = Math.max(this.#nowMs, event.dueMs);
      event.callback = undefined;
      callback();
      return true;
    }
    return false;
  }

  runUntilIdle(eventsMax: number = eventsMaxByDefault): void {
    for (let count = 0; this.step(); count++) {
      assert(count < eventsMax, `the simulation does not come to rest in ${eventsMax} events`);
    }
  }

  /** Runs all that is due in the next `durationMs`, and leaves the clock there. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let first = this.#firstDueMs(); first !== undefined && first <= endMs; first = this.#firstDueMs()) this.step();
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  /** Time passes inside of a call that blocks: nothing runs meanwhile, and what was due is late. */
  elapse(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** As `runUntilIdle`, where promises are at work: after each event all that waits for a promise goes on first. */
  async settle(eventsMax: number = eventsMaxByDefault): Promise<void> {
    await promisesSettled();
    for (let count = 0; this.step(); count++) {
      assert(count < eventsMax, `the simulation does not come to rest in ${eventsMax} events`);
      await promisesSettled();
    }
  }

  /**
   * As `advance`, where promises are at work. `afterEach` is called after each event and all that waited for it; when it
   * answers true, time stands still there, and the answer is true.
   */
  async pass(durationMs: number, afterEach: () => boolean): Promise<boolean> {
    const endMs = this.#nowMs + durationMs;
    await promisesSettled();
    for (let first = this.#firstDueMs(); first !== undefined && first <= endMs; first = this.#firstDueMs()) {
      this.step();
      await promisesSettled();
      if (afterEach()) return true;
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
    return false;
  }

  #firstDueMs(): number | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#takeFirst();
    return this.#heap[0]?.dueMs;
  }

  #takeFirst(): Event | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return first;
  }

  #siftUp(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #siftDown(): void {
    let index = 0;
    for (;;) {
      let first = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, first)) first = child;
      }
      if (first === index) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #isBefore(indexA: number, indexB: number): boolean {
    const a = this.#heap[indexA] as Event;
    const b = this.#heap[indexB] as Event;
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  }

  #swap(indexA: number, indexB: number): void {
    const a = this.#heap[indexA] as Event;
    this.#heap[indexA] = this.#heap[indexB] as Event;
    this.#heap[indexB] = a;
  }
}

/** Resolved promises run before the next turn of Node's own loop. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
