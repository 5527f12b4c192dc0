import { expect, test } from "vitest";
import { liveThroughAll } from "./crash-story.ts";
import { FoldingModel } from "./folding-model.ts";

test("faults 4, 9, 10 and 11: after every crash the journals hold a prefix, and all that was called durable", async () => {
  await liveThroughAll(0, 200);
}, 120_000);

test("faults 4, 9, 10 and 11: after every crash each aggregate is there whole, or not at all", async () => {
  await liveThroughAll(0, 200, (random, group) => new FoldingModel(random, group));
}, 120_000);

test("faults 4, 7, 9, 10 and 11: after every crash while all is sealed the journals hold a prefix, and all that was durable", async () => {
  const sealed = await liveThroughAll(0, 120, undefined, { hasStore: true });
  expect(sealed).toBeGreaterThan(40);
}, 120_000);

test("faults 4, 7, 9, 10 and 11: likewise with aggregates", async () => {
  await liveThroughAll(0, 80, (random, group) => new FoldingModel(random, group), { hasStore: true });
}, 120_000);
