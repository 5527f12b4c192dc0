import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { describeFailure, describeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";
import { shortSeedCount } from "./short-seeds.ts";

const minutes = 60_000;
/** Some 80 ms of a processor each, where nothing else is at work. */
const count = Number(process.env.TIDEMARK_SIM_SEEDS ?? shareOf(100_000));

test("other worlds of two sites hold what is promised", { timeout: 120 * minutes }, async () => {
  const summary = await runShared({ first: shortSeedCount + 1, count, failuresMax: 5, workers: 2 });
  console.log(describeSummary(summary));
  expect(summary.failures.map(describeFailure)).toEqual([]);
  expect(summary.seeds).toBe(count);
});
