import { expect, test } from "vitest";
import { DurationCounts } from "#src/core/duration-counts.ts";

test("what took just as long as a bound counts for it, and what took longer than all for what is beyond", () => {
  const counts = new DurationCounts([0.001, 0.01]);
  for (const milliseconds of [0, 1, 1.5, 10, 11, 5000]) counts.note(milliseconds);
  expect(counts.figures).toEqual({ boundsSeconds: [0.001, 0.01], counts: [2, 2, 2], seconds: 5.0235 });
});

test("several that took the same are noted at once", () => {
  const counts = new DurationCounts([0.001]);
  counts.note(0.5, 32);
  expect(counts.figures).toMatchObject({ counts: [32, 0], seconds: 0.016 });
});

test("bounds that do not grow are no bounds", () => {
  expect(() => new DurationCounts([0.1, 0.1])).toThrow("bounds grow");
});
