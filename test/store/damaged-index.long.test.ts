import { expect, test } from "vitest";
import { indexOpeningCountMax } from "#src/core/store-limits.ts";
import { oneIn } from "#test/long-share.ts";
import { chanceDamages, DamagedIndex, eachBit } from "./damaged-index-runs.ts";
import { indexContents } from "./index-damage.ts";

test("fault 18: no damage to a file of LMDB, wherever it is, ends more than a few processes", () => {
  const runs = new DamagedIndex("large").runs(chanceDamages(2, 160), indexOpeningCountMax + 1);
  const { newBlocks } = indexContents.large;
  expect(runs.filter(({ wrongCount, lostCount }) => wrongCount > 0 || lostCount > newBlocks.length / 2)).toEqual([]);
});

/** Each takes an opening and a change of its own, 10 ms, and nothing of an index is needed. */
test("fault 18: whichever of its bits is turned, one in 29 of them, an index says of nothing that it is where it is not", () => {
  const index = new DamagedIndex("small");
  const runs = index.runs(eachBit(index.mapBytes, 29 * oneIn), indexOpeningCountMax + 1);
  expect(runs.filter(({ wrongCount }) => wrongCount > 0)).toEqual([]);
});
