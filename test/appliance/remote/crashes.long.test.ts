import { test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { liveThroughAll } from "./crash-story.ts";
import { FoldingModel } from "./folding-model.ts";

test("faults 4, 9, 10 and 11: after every crash the journals hold a prefix, and all that was called durable", async () => {
  await liveThroughAll(1000, shareOf(2000));
});

test("faults 4, 9, 10 and 11: after every crash each aggregate is there whole, or not at all", async () => {
  await liveThroughAll(1000, shareOf(2000), (random, group) => new FoldingModel(random, group));
});
