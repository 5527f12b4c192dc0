import { test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { endEverywhere } from "./collection-ends.ts";

for (const end of ["killed", "powerCut"] as const) {
  test(`fault 8: after every single call of a collection beside sealing it may end (${end}), and nothing needed is lost`, async () => {
    for (const seed of [1, 2, 3, 4].slice(0, shareOf(4))) await endEverywhere(seed, end, 1);
  });
}
