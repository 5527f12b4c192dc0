import { expect, test } from "vitest";
import { type ReachFacts, reachForecast } from "#src/synth/reach-forecast.ts";

const day = 86_400e6;
const year = 365 * day;

/** A day at every write, then nine at one in a minute with a tenth of the records. 100 bytes each. */
const facts: ReachFacts = {
  spanMicros: 10 * day,
  groups: [
    [
      { level: 0, recordCount: 10_000, spanMicros: day },
      { level: 60, recordCount: 9000, spanMicros: 9 * day },
    ],
  ],
  steps: [{ afterMicros: day, level: 60 }],
  ...{ physicalBytes: 5_000_000 + 1_900_000, currentBytes: 5_000_000 },
  ...{ freeBytes: 36_400_000, keepMicros: year },
};

test("each level costs what its own pieces took for their time, and the room is filled with them in turn", () => {
  const forecast = reachForecast(facts);
  expect(forecast?.costs).toEqual([
    { level: 0, fromAgeSeconds: 0, bytesPerDay: 1_000_000, isMeasured: true },
    { level: 60, fromAgeSeconds: 86_400, bytesPerDay: 100_000, isMeasured: true },
  ]);
  // Of 38.3 MB a day of every write takes 1 MB; what is left is 373 days of the next level.
  expect(forecast).toMatchObject({ spanSeconds: 864_000, roomSeconds: 374 * 86_400, isShort: false, isAtLeast: false });
  expect(reachForecast({ ...facts, keepMicros: 2 * year })?.isShort).toBe(true);
});

test("what is not that old yet is taken for as dear as what is younger, and that is said", () => {
  const groups = [[{ level: 0, recordCount: 10_000, spanMicros: day }]];
  const forecast = reachForecast({ ...facts, groups, physicalBytes: 6_000_000, freeBytes: 9_000_000 });
  expect(forecast?.costs.at(-1)).toMatchObject({ level: 60, bytesPerDay: 1_000_000, isMeasured: false });
  expect(forecast).toMatchObject({ roomSeconds: 10 * 86_400, isAtLeast: true });
  // It does not matter to a room that does not reach so far.
  expect(reachForecast({ ...facts, groups, physicalBytes: 5_500_000, freeBytes: 0 })?.isAtLeast).toBe(false);
});

test("groups share the room, each with its own rates", () => {
  const other = [{ level: 60, recordCount: 9000, spanMicros: 9 * day }];
  const forecast = reachForecast({ ...facts, groups: [...facts.groups, other], physicalBytes: 5_000_000 + 2_800_000 });
  expect(forecast?.costs.map(({ bytesPerDay, isMeasured }) => [bytesPerDay, isMeasured])).toEqual([
    [1_000_000, true],
    [200_000, true],
  ]);
});

test("a group that is not that old yet costs as much as what is younger of it, whatever older ones cost", () => {
  const young = [{ level: 0, recordCount: 10_000, spanMicros: day }];
  const forecast = reachForecast({ ...facts, groups: [...facts.groups, young], physicalBytes: 5_000_000 + 2_900_000 });
  expect(forecast?.costs.map(({ bytesPerDay, isMeasured }) => [bytesPerDay, isMeasured])).toEqual([
    [2_000_000, true],
    [1_100_000, false],
  ]);
  // Of 39.3 MB the first day takes 2 MB, and 37.3 MB are 34 days.
  expect(forecast).toMatchObject({
    roomSeconds: Math.round((1 + 37.3 / 1.1) * 86_400),
    isShort: true,
    isAtLeast: true,
  });
});

test("a group that has no more than a moment of history costs nothing yet, and leaves the others measured", () => {
  const moment = [{ level: 0, recordCount: 1, spanMicros: 0 }];
  const costs = reachForecast({ ...facts, groups: [...facts.groups, moment] })?.costs;
  expect(costs?.map(({ level, isMeasured }) => [level, isMeasured])).toEqual([
    [0, true],
    [60, true],
  ]);
});

test("a full disk reaches as far as what there is, and one that nobody writes to for ever", () => {
  expect(reachForecast({ ...facts, freeBytes: 0 })?.roomSeconds).toBe(10 * 86_400);
  const idle = reachForecast({ ...facts, physicalBytes: 5_000_000 });
  expect(idle).toMatchObject({ roomSeconds: 100 * 365 * 86_400, isShort: false });
});

test("what is kept for ever has no room that would be enough, and is not called short for it", () => {
  expect(reachForecast({ ...facts, keepMicros: Number.POSITIVE_INFINITY })?.isShort).toBe(false);
});

test("of an hour nothing can be told, nor of an empty store", () => {
  expect(reachForecast({ ...facts, spanMicros: 3599e6 })).toBeUndefined();
  expect(reachForecast({ ...facts, physicalBytes: 0 })).toBeUndefined();
  expect(reachForecast({ ...facts, groups: [] })).toBeUndefined();
  expect(reachForecast({ ...facts, groups: [[{ level: 0, recordCount: 1, spanMicros: 0 }]] })).toBeUndefined();
});
