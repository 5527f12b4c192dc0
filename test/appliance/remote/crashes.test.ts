import { expect, test } from "vitest";
import { failingService, liveThroughAll } from "./crash-story.ts";
import { FoldingModel } from "./folding-model.ts";

test("faults 4, 9, 10 and 11: after every crash the journals hold a prefix, and all that was called durable", async () => {
  await liveThroughAll(0, 35);
});

test("faults 4, 9, 10 and 11: after every crash each aggregate is there whole, or not at all", async () => {
  await liveThroughAll(0, 35, (random, group) => new FoldingModel(random, group));
});

test("faults 4, 7, 9, 10 and 11: after every crash while all is sealed the journals hold a prefix, and all that was durable", async () => {
  const sealed = await liveThroughAll(0, 30, undefined, { hasStore: true });
  expect(sealed).toBeGreaterThan(10);
});

test("faults 4, 7, 9, 10 and 11: likewise with aggregates", async () => {
  await liveThroughAll(0, 20, (random, group) => new FoldingModel(random, group), { hasStore: true });
});

test("faults 7, 9, 10 and 11: after every crash while what is sealed goes from the journals nothing of it is missing", async () => {
  const laterCount = await liveThroughAll(1, 20, undefined, { hasStore: true, options: { keptPieceBytes: 0 } });
  expect(laterCount).toBeGreaterThan(3);
});

test("faults 10, 11 and 21: likewise while the store's service fails, and says so when it has not", async () => {
  const sealed = await liveThroughAll(0, 15, undefined, { hasStore: true, faults: failingService });
  expect(sealed).toBeGreaterThan(3);
});
