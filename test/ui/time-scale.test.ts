import { expect, test } from "vitest";
import { clampMs, msAt, ticksOf, xOf } from "#src/ui/time-scale.ts";

const hour = 3_600_000;
const noon = Date.parse("2026-03-01T12:00:00Z");
const span = { fromMs: noon, toMs: noon + hour };

test("a place stands for a moment, and the moment for the place", () => {
  expect(xOf(noon + hour / 4, span, 800)).toBe(200);
  expect(msAt(200, span, 800)).toBe(noon + hour / 4);
  expect([msAt(-50, span, 800), msAt(900, span, 800)]).toEqual([span.fromMs, span.toMs]);
  expect(clampMs(noon - 1, span)).toBe(noon);
});

test("marks of an axis are at round times, no more than there is room for", () => {
  const ticks = ticksOf({ fromMs: noon + 61_000, toMs: noon + hour + 61_000 }, 7, 0);
  expect(ticks.map(({ ms }) => (ms - noon) / 60_000)).toEqual([10, 20, 30, 40, 50, 60]);
});

test("days begin where they begin in the place", () => {
  const week = { fromMs: noon, toMs: noon + 7 * 24 * hour };
  const ticks = ticksOf(week, 8, -60);
  expect(ticks).toHaveLength(7);
  expect(new Date(ticks[0]?.ms ?? 0).toISOString()).toBe("2026-03-01T23:00:00.000Z");
  expect(ticks.every(({ isDay }) => isDay)).toBe(true);
});

test.each([10_000, 300_000, hour, 24 * hour, 90 * 24 * hour, 900 * 24 * hour])(
  "a span of %i ms has some marks",
  (length) => {
    const ticks = ticksOf({ fromMs: noon, toMs: noon + length }, 8, 0);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(9);
  },
);
