import { expect, test } from "vitest";
import { minuteOfDay } from "#src/host/local-time.ts";

test.each([
  [0, 0, 0],
  [13, 37, 817],
  [23, 59, 1439],
])("at %i:%i, as a clock on the wall shows it, %i minutes of the day have gone by", (hours, minutes, expected) => {
  expect(minuteOfDay(new Date(2026, 0, 15, hours, minutes, 59, 999).getTime())).toBe(expected);
});
