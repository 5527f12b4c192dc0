import { expect, test } from "vitest";
import { durationText, progressLine } from "#src/cli/progress-line.ts";

test("how far a long work is fits into a line, with what is known of it", () => {
  const begun = { what: "marks", done: 7, unit: "pieces", bytes: 0, bytesPerSecond: 0 };
  expect(progressLine(begun, 80)).toBe("marks: 7 pieces");
  const known = { ...begun, total: 28, bytesPerSecond: 50 * 2 ** 20, secondsLeft: 600 };
  expect(progressLine(known, 120)).toBe(
    "[######------------------] marks: 25 %, 7 of 28 pieces, 50.0 MiB/s, 10 min left",
  );
  expect(progressLine({ ...known, unit: "bytes", done: 2 ** 20, total: 2 ** 21 }, 120)).toContain("1.0 MiB of 2.0 MiB");
  expect(progressLine(known, 40)).toHaveLength(39);
  expect([0, 99, 100, 5999, 6000].map(durationText)).toEqual(["0 s", "99 s", "2 min", "100 min", "2 h"]);
});
