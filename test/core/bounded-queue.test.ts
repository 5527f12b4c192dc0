import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { BoundedQueue } from "#src/core/bounded-queue.ts";

test("what went in first comes out first", () => {
  const queue = new BoundedQueue<string>({ countMax: 10, bytesMax: 100 });
  for (const item of ["a", "b", "c"]) expect(queue.push(item, 1)).toBe(true);
  expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual(["a", "b", "c", undefined]);
});

test("an empty queue gives nothing and weighs nothing", () => {
  const queue = new BoundedQueue<string>({ countMax: 1, bytesMax: 1 });
  expect([queue.shift(), queue.peek(), queue.count, queue.bytes]).toEqual([undefined, undefined, 0, 0]);
});

test("peeking takes nothing away", () => {
  const queue = new BoundedQueue<string>({ countMax: 2, bytesMax: 10 });
  queue.push("a", 4);
  expect([queue.peek(), queue.peek(), queue.count, queue.bytes]).toEqual(["a", "a", 1, 4]);
});

test("a queue full by count takes nothing and stays as it is", () => {
  const queue = new BoundedQueue<number>({ countMax: 2, bytesMax: 100 });
  queue.push(1, 1);
  queue.push(2, 1);
  expect(queue.push(3, 1)).toBe(false);
  expect([queue.count, queue.bytes, queue.shift(), queue.shift(), queue.shift()]).toEqual([2, 2, 1, 2, undefined]);
});

test("a queue full by bytes takes no more, and takes again what fits after one has left", () => {
  const queue = new BoundedQueue<number>({ countMax: 100, bytesMax: 10 });
  expect([queue.push(1, 6), queue.push(2, 5), queue.push(3, 4), queue.push(4, 1)]).toEqual([true, false, true, false]);
  queue.shift();
  expect([queue.push(5, 6), queue.bytes]).toEqual([true, 10]);
});

test("an item without bytes is bounded by the count alone", () => {
  const queue = new BoundedQueue<number>({ countMax: 2, bytesMax: 1 });
  expect([queue.push(1, 0), queue.push(2, 0), queue.push(3, 0)]).toEqual([true, true, false]);
});

test("an item that could never fit is a mistake, not a full queue", () => {
  const queue = new BoundedQueue<number>({ countMax: 2, bytesMax: 10 });
  expect(() => queue.push(1, 11)).toThrow(AssertionError);
});

test("the order holds while the ring wraps and grows, against a plain array", () => {
  const queue = new BoundedQueue<number>({ countMax: 1000, bytesMax: 1_000_000 });
  const model: number[] = [];
  let next = 0;
  let peak = 0;
  for (let round = 0; round < 400; round++) {
    const pushes = (round * 7) % 13;
    const shifts = (round * 5) % 11;
    for (let index = 0; index < pushes; index++) {
      expect(queue.push(next, next % 50)).toBe(true);
      model.push(next++);
    }
    for (let index = 0; index < shifts; index++) expect(queue.shift()).toBe(model.shift());
    peak = Math.max(peak, queue.count);
    expect([queue.count, queue.bytes]).toEqual([model.length, model.reduce((sum, item) => sum + (item % 50), 0)]);
  }
  expect(peak).toBeGreaterThan(100);
});
