import { expect, test } from "vitest";
import { crashAgainAndAgain } from "./crash-story.ts";

const seeds = Array.from({ length: 8 }, (_, seed) => seed);

test.each(seeds)("promises hold, marks come first, and source and journal agree again: seed %d", async (seed) => {
  expect(await crashAgainAndAgain(seed)).toBeGreaterThan(0);
});
