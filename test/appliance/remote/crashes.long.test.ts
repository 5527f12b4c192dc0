import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { failingService, liveThroughAll } from "./crash-story.ts";
import { FoldingModel } from "./folding-model.ts";

// Each begins where the short suite ends.

test("faults 4, 9, 10 and 11: after every crash the journals hold a prefix, and all that was called durable", async () => {
  await liveThroughAll(35, shareOf(2000));
});

test("faults 4, 9, 10 and 11: after every crash each aggregate is there whole, or not at all", async () => {
  await liveThroughAll(35, shareOf(2000), (random, group) => new FoldingModel(random, group));
});

test("faults 4, 7, 9, 10 and 11: after every crash while all is sealed the journals hold a prefix, and all that was durable", async () => {
  const count = shareOf(600);
  expect(await liveThroughAll(30, count, undefined, { hasStore: true })).toBeGreaterThan(count / 3);
});

test("faults 4, 7, 9, 10 and 11: likewise with aggregates", async () => {
  await liveThroughAll(20, shareOf(400), (random, group) => new FoldingModel(random, group), { hasStore: true });
});

test("faults 7, 9, 10 and 11: after every crash while what is sealed goes from the journals nothing of it is missing", async () => {
  const count = shareOf(200);
  const laterCount = await liveThroughAll(21, count, undefined, { hasStore: true, options: { keptPieceBytes: 0 } });
  expect(laterCount).toBeGreaterThan(count / 20);
});

test("faults 10, 11 and 21: likewise while the store's service fails, and says so when it has not", async () => {
  const count = shareOf(300);
  const sealed = await liveThroughAll(15, count, undefined, { hasStore: true, faults: failingService });
  expect(sealed).toBeGreaterThan(count / 5);
});
