/**
 * Counters in one piece of memory that all threads share. Each counter is one 64-bit cell of it:
 *
 *     value = high half × 2^31 + low half        (both unsigned, little-endian)
 *
 * Adding is one atomic 32-bit addition to the low half. Whoever finds the low half at 2^31 or more afterwards brings it
 * back below, by one 64-bit exchange for the same bits plus 2^31: the low half wraps to 2^31 less, the carry makes the
 * high half one more, and the value stays the same at every moment. So no reader ever sees a number that was not true,
 * and no bigint is on the common way. No thread goes on before the low half was below 2^31, so all it can hold beyond is
 * one addition of each thread.
 */
import { assert } from "#src/core/assert.ts";
import { counterStepMax } from "#src/core/limits.ts";
import type { Counter, Counters, Gauge } from "../counters.ts";

const lowMax = 2 ** 31;
const cellBytes = 8;

/** What one thread hands to another. A counter takes one cell, a gauge two: what was raised, and what was lowered. */
export interface SharedCounters {
  readonly counters: readonly string[];
  readonly gauges: readonly string[];
  readonly memory: SharedArrayBuffer;
}

export function shareCounters(counters: readonly string[], gauges: readonly string[]): SharedCounters {
  assert(new Set([...counters, ...gauges]).size === counters.length + gauges.length, "a name is given once");
  return { counters, gauges, memory: new SharedArrayBuffer((counters.length + 2 * gauges.length) * cellBytes) };
}

export function countersOver(shared: SharedCounters): Counters {
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "the halves of a cell are in little-endian order");
  const { counters, gauges, memory } = shared;
  const cellOf = (names: readonly string[], name: string, firstCell: number, cellsEach: number): number => {
    const index = names.indexOf(name);
    assert(index >= 0, `${name} was not declared`);
    return firstCell + index * cellsEach;
  };
  const gaugeCell = (name: string): number => cellOf(gauges, name, counters.length, 2);
  return {
    counter: (name) => new SharedCounter(memory, cellOf(counters, name, 0, 1)),
    gauge: (name) => new SharedGauge(memory, gaugeCell(name)),
    read: () =>
      Object.fromEntries([
        ...counters.map((name, index) => [name, numberIn(memory, index)] as const),
        ...gauges.map((name) => [name, levelIn(memory, gaugeCell(name))] as const),
      ]),
  };
}

class SharedCounter implements Counter {
  readonly #halves: Int32Array;
  readonly #memory: SharedArrayBuffer;
  readonly #cell: number;

  constructor(memory: SharedArrayBuffer, cell: number) {
    this.#memory = memory;
    this.#cell = cell;
    this.#halves = new Int32Array(memory);
  }

  add(amount: number): void {
    assert(amount >= 0 && amount <= counterStepMax, "a step is small, so that the low half cannot overflow");
    const low = (Atomics.add(this.#halves, 2 * this.#cell, amount) >>> 0) + amount;
    if (low >= lowMax) this.#carry();
  }

  /** Others add and carry at the same time: an exchange that fails has found a newer value to look at. */
  #carry(): void {
    const cells = new BigInt64Array(this.#memory);
    for (;;) {
      const seen = Atomics.load(cells, this.#cell);
      if (BigInt.asUintN(32, seen) < lowMax) return;
      Atomics.compareExchange(cells, this.#cell, seen, seen + BigInt(lowMax));
    }
  }
}

class SharedGauge implements Gauge {
  readonly #raised: SharedCounter;
  readonly #lowered: SharedCounter;

  constructor(memory: SharedArrayBuffer, cell: number) {
    this.#raised = new SharedCounter(memory, cell);
    this.#lowered = new SharedCounter(memory, cell + 1);
  }

  raise(amount: number): void {
    this.#raised.add(amount);
  }

  lower(amount: number): void {
    this.#lowered.add(amount);
  }
}

function numberIn(memory: SharedArrayBuffer, cell: number): number {
  const bits = Atomics.load(new BigInt64Array(memory), cell);
  return Number(BigInt.asUintN(32, bits >> 32n)) * lowMax + Number(BigInt.asUintN(32, bits));
}

/** Lowered is read first, so that a raise and its lowering between the two loads cannot look like less than nothing. */
function levelIn(memory: SharedArrayBuffer, cell: number): number {
  const lowered = numberIn(memory, cell + 1);
  return numberIn(memory, cell) - lowered;
}
