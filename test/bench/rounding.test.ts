import { expect, test } from "vitest";
import { round, roundDown, roundUp } from "./rounding.ts";

test("figures are rounded to the side that is asked for", () => {
  expect([round(1.256, 2), roundDown(1.259, 2), roundUp(1.251, 2)]).toEqual([1.26, 1.25, 1.26]);
});

test("a figure that is exact in decimals stays as it is", () => {
  expect([roundDown(120 / 100, 2), roundUp(0.07 * 10, 2)]).toEqual([1.2, 0.7]);
});
