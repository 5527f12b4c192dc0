import { expect, test } from "vitest";
import { describeFailure, describeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";

const minutes = 60_000;

test("a hundred thousand worlds of two sites hold what is promised", { timeout: 25 * minutes }, async () => {
  const summary = await runShared({ first: 1_001, count: 100_000, failuresMax: 5, workers: 2 });
  console.log(describeSummary(summary));
  expect(summary.failures.map(describeFailure)).toEqual([]);
  expect(summary.seeds).toBe(100_000);
});
