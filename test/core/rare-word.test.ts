import { expect, test } from "vitest";
import { RareWord } from "#src/core/rare-word.ts";

test("it is said at once, and then not before its time, with how often it was", () => {
  const word = new RareWord(10_000);
  expect([5, 6, 7, 10_004].map((nowMs) => word.happened(nowMs))).toEqual([1, undefined, undefined, undefined]);
  expect([10_005, 10_006].map((nowMs) => word.happened(nowMs))).toEqual([4, undefined]);
  expect(word.happened(900_000)).toBe(2);
});
