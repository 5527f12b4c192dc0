import { expect, test } from "vitest";
import { LevelClock } from "#src/appliance/local/level-clock.ts";

const seconds = (count: number) => count * 1e6;

test("a boundary is due when an interval has ended in which something came", () => {
  const clock = new LevelClock();
  clock.set(1, 10, seconds(102));
  expect(clock.due(seconds(105), 7)).toEqual([]);
  expect(clock.due(seconds(109.9), 7)).toEqual([]);
  expect(clock.due(seconds(110), 7)).toEqual([{ volume: 1, seconds: 10 }]);
  clock.placed(1, seconds(110), 8);
  expect(clock.due(seconds(111), 8)).toEqual([]);
  expect(clock.due(seconds(125), 8)).toEqual([]);
  expect(clock.due(seconds(126), 9)).toEqual([{ volume: 1, seconds: 10 }]);
});

test("boundaries of several volumes do not call for each other", () => {
  const clock = new LevelClock();
  clock.set(1, 10, 0);
  clock.set(2, 60, 0);
  clock.due(seconds(1), 5);
  expect(clock.due(seconds(60), 5).map(({ volume }) => volume)).toEqual([1, 2]);
  clock.placed(1, seconds(60), 6);
  clock.placed(2, seconds(60), 7);
  for (let now = 61; now < 300; now++) expect(clock.due(seconds(now), 7)).toEqual([]);
});

test("what found no place stays due", () => {
  const clock = new LevelClock();
  clock.set(1, 10, 0);
  expect(clock.due(seconds(12), 5)).toHaveLength(1);
  expect(clock.due(seconds(13), 5)).toHaveLength(1);
});

test("a volume back at every write has no boundaries", () => {
  const clock = new LevelClock();
  clock.set(1, 10, 0);
  clock.set(1, 0, 0);
  expect(clock.isIdle).toBe(true);
  expect(clock.due(seconds(99), 5)).toEqual([]);
});

test("a clock that is set back ends no interval", () => {
  const clock = new LevelClock();
  clock.set(1, 10, seconds(1000));
  expect(clock.due(seconds(10), 5)).toEqual([]);
  expect(clock.due(seconds(1010), 6)).toHaveLength(1);
});
