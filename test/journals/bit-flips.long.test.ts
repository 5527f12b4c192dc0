/** Every bit of a store that is not encrypted. */
import { expect, test } from "vitest";
import { oneIn, shareOf } from "#test/long-share.ts";
import { BitFlips, flipSites } from "./bit-flips.ts";
import { WholeStore } from "./whole-store.ts";

/** 53000 bits, or 60000, of some 7 ms each. */
const timeout = 3_600_000;
/** Errors come by the thousand here, and nobody asks from where. */
Error.stackTraceLimit = 0;

test("fault 18: each bit of a store, turned, costs just what it is part of, is found, and is turned back", {
  timeout,
}, async () => {
  const world = await WholeStore.make(false);
  const flips = new BitFlips(world);
  for (const site of flipSites(world, oneIn)) await flips.try(site);
  expect(flips.counts.flips).toBeGreaterThan(shareOf(40_000));
});
