import { expect, test } from "vitest";
import { backOffMs } from "#src/ui/back-off.ts";

test("it is tried again ever more rarely, at most each half minute", () => {
  expect([0, 1, 2, 3, 10, 1000].map((attempt) => backOffMs(attempt, 1))).toEqual([
    500, 1000, 2000, 4000, 30_000, 30_000,
  ]);
});

test("pages that were lost together come back one by one", () => {
  expect([0, 0.5, 1].map((chance) => backOffMs(3, chance))).toEqual([2000, 3000, 4000]);
});
