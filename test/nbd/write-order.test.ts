import { expect, test } from "vitest";
import { WriteOrder, type WriteTurn } from "#src/nbd/write-order.ts";

function turns(...ranges: readonly (readonly [offset: number, length: number])[]) {
  const order = new WriteOrder();
  const started: number[] = [];
  const made: WriteTurn[] = ranges.map(([offset, length], index) => ({
    offset,
    length,
    start: () => started.push(index),
  }));
  return { order, started, made };
}

test("ranges apart from each other start at once", () => {
  const { order, started, made } = turns([0, 4], [4, 4], [8, 1]);
  expect(made.map((turn) => order.enter(turn))).toEqual([true, true, true]);
  expect(started).toEqual([0, 1, 2]);
});

test("a range that is touched waits until what touches it has left", () => {
  const { order, started, made } = turns([0, 4], [3, 4]);
  for (const turn of made) order.enter(turn);
  expect([started.slice(), order.isFree(6, 1), order.isFree(7, 1)]).toEqual([[0], false, true]);
  order.leave(made[0] as WriteTurn);
  expect(started).toEqual([0, 1]);
});

test("nobody overtakes one that waits for the same bytes", () => {
  const { order, started, made } = turns([0, 4], [0, 10], [8, 1]);
  for (const turn of made) order.enter(turn);
  expect(started).toEqual([0]);
  order.leave(made[0] as WriteTurn);
  expect(started).toEqual([0, 1]);
  order.leave(made[1] as WriteTurn);
  expect(started).toEqual([0, 1, 2]);
});

test("a turn that ends as it starts lets the next begin, in order", () => {
  const order = new WriteOrder();
  const started: number[] = [];
  const quick = (index: number): WriteTurn => {
    const turn: WriteTurn = {
      offset: 0,
      length: 1,
      start: () => {
        started.push(index);
        order.leave(turn);
      },
    };
    return turn;
  };
  const first: WriteTurn = { offset: 0, length: 1, start: () => started.push(0) };
  order.enter(first);
  for (const index of [1, 2, 3]) order.enter(quick(index));
  order.leave(first);
  expect([started, order.isFree(0, 1)]).toEqual([[0, 1, 2, 3], true]);
});
