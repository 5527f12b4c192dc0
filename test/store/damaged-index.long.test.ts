import { expect, test } from "vitest";
import { indexOpeningCountMax } from "#src/core/store-limits.ts";
import { chanceDamages, damagedRuns } from "./damaged-index-runs.ts";
import { newBlocks } from "./index-damage.ts";

test("fault 18: no damage to a file of LMDB, wherever it is, ends more than a few processes", () => {
  const runs = damagedRuns(chanceDamages(2, 160), indexOpeningCountMax + 1);
  expect(runs.filter(({ wrongCount, lostCount }) => wrongCount > 0 || lostCount > newBlocks.length / 2)).toEqual([]);
});
