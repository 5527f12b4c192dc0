import { expect, test } from "vitest";
import { PageRuns } from "#src/nbd/page-runs.ts";

test("the lowest run that fits is taken", () => {
  const runs = new PageRuns(10);
  expect([runs.take(3), runs.take(3), runs.take(3)]).toEqual([0, 3, 6]);
  runs.give(0, 3);
  runs.give(6, 3);
  expect([runs.take(2), runs.take(4), runs.take(1)]).toEqual([0, 6, 2]);
});

test("what does not fit in one piece is refused", () => {
  const runs = new PageRuns(4);
  runs.take(4);
  runs.give(0, 1);
  runs.give(2, 2);
  expect(runs.has(3)).toBe(false);
  expect(runs.take(3)).toBe(-1);
});

test("neighbours join again, whatever the order in which they come back", () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [0, 2, 1],
    [1, 0, 2],
  ]) {
    const runs = new PageRuns(3);
    for (let page = 0; page < 3; page++) runs.take(1);
    for (const page of order) runs.give(page, 1);
    expect(runs.take(3)).toBe(0);
  }
});

test("a page that comes back twice is noticed", () => {
  const runs = new PageRuns(4);
  runs.take(2);
  runs.give(0, 2);
  expect(() => runs.give(0, 1)).toThrow("what comes back was taken");
});

test("after any run of takes and gives no page is in two hands, and all come back", () => {
  const pageCount = 64;
  const runs = new PageRuns(pageCount);
  const taken: { start: number; count: number }[] = [];
  const owner = new Array<boolean>(pageCount).fill(false);
  const mark = (start: number, count: number, value: boolean) => {
    for (let page = start; page < start + count; page++) {
      expect(owner[page]).toBe(!value);
      owner[page] = value;
    }
  };
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let step = 0; step < 5_000; step++) {
    const count = 1 + next(9);
    const start = next(2) === 0 ? runs.take(count) : -1;
    if (start >= 0) {
      mark(start, count, true);
      taken.push({ start, count });
    } else if (taken.length > 0) {
      const [run] = taken.splice(next(taken.length), 1);
      if (run === undefined) continue;
      mark(run.start, run.count, false);
      runs.give(run.start, run.count);
    }
  }
  for (const run of taken) runs.give(run.start, run.count);
  expect(runs.take(pageCount)).toBe(0);
});
