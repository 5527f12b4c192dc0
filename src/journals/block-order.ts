/** Sorts by two numbers, stably and without comparisons: digit by digit of 16 bits, from the lowest on. */
import { assert } from "#src/core/assert.ts";

const digitSize = 2 ** 16;

/** The places `0` to `count - 1` in the order of their `high` and then their `low` number, equal ones as they were. */
export function orderByTwo(
  count: number,
  high: Uint32Array | Float64Array,
  low: Uint32Array | Float64Array,
): Uint32Array {
  let from = new Uint32Array(count);
  let to = new Uint32Array(count);
  for (let place = 0; place < count; place++) from[place] = place;
  const counts = new Uint32Array(digitSize + 1);
  for (const numbers of [low, high]) {
    const most = mostOf(numbers, count);
    for (let scale = 1; scale <= most; scale *= digitSize) {
      sortByDigit(from, to, numbers, scale, counts);
      [from, to] = [to, from];
    }
  }
  return from;
}

function mostOf(numbers: Uint32Array | Float64Array, count: number): number {
  let most = 0;
  for (let place = 0; place < count; place++) most = Math.max(most, numbers[place] as number);
  assert(most <= Number.MAX_SAFE_INTEGER, "what is sorted are whole numbers");
  return most;
}

function sortByDigit(
  from: Uint32Array,
  to: Uint32Array,
  numbers: Uint32Array | Float64Array,
  scale: number,
  counts: Uint32Array,
): void {
  const digitOf = (place: number) => Math.floor((numbers[place] as number) / scale) % digitSize;
  counts.fill(0);
  for (const place of from) (counts[digitOf(place) + 1] as number)++;
  for (let digit = 0; digit < digitSize; digit++) (counts[digit + 1] as number) += counts[digit] as number;
  for (const place of from) to[(counts[digitOf(place)] as number)++] = place;
}
