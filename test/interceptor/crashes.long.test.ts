import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { crashAgainAndAgain } from "./crash-story.ts";

const seeds = Array.from({ length: shareOf(120) }, (_, index) => 8 + index);

test.each(seeds)("promises hold, marks come first, and source and journal agree again: seed %d", async (seed) => {
  expect(await crashAgainAndAgain(seed)).toBeGreaterThan(0);
});
