import { expect, test } from "vitest";
import { formatDuration, parseDuration, roundedDuration } from "#src/core/duration.ts";

test("times are read as they are written", () => {
  for (const [text, seconds] of [
    ["10s", 10],
    ["1m", 60],
    ["90m", 5400],
    ["1h", 3600],
    ["24h", 86_400],
    ["7d", 604_800],
  ] as const) {
    expect(parseDuration(text)).toBe(seconds);
  }
  for (const text of ["", "0s", "1", "m", "-1m", "1.5h", "1w", " 1m", "1m ", "9999999999s"]) {
    expect(parseDuration(text)).toBeUndefined();
  }
});

test("times are written in the largest unit that fits", () => {
  expect([1, 59, 60, 61, 3600, 5400, 86_400, 90_000].map(formatDuration)).toEqual([
    "1s",
    "59s",
    "1m",
    "61s",
    "1h",
    "90m",
    "1d",
    "25h",
  ]);
});

test("times are rounded down to what people can take in", () => {
  expect([0, 5, 179, 180, 7000, 36 * 3600, 80 * 3600, 400 * 86_400].map(roundedDuration)).toEqual([
    "0s",
    "5s",
    "179s",
    "3m",
    "116m",
    "36h",
    "3d",
    "400d",
  ]);
});
