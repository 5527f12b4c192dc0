import { expect, test } from "vitest";
import { runStories } from "./story-run.ts";

test("faults 4, 7 and 15: whatever point of a store is kept reads as it was, through crashes, collection and lost indexes", async () => {
  const { failures, counts } = await runStories(1, 3);
  expect(failures).toEqual([]);
  for (const [what, count] of Object.entries(counts)) expect([what, count > 0]).toEqual([what, true]);
});
