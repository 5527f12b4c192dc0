/** Some bits of a whole store, spread over all of it; the long suite has every one. */
import { expect, test } from "vitest";
import { BitFlips, flipSites } from "./bit-flips.ts";
import { WholeStore } from "./whole-store.ts";

test.each([false, true])(
  "fault 18: a bit turned anywhere in a store costs just what it is part of, is found, and is turned back (encrypted: %s)",
  async (isEncrypted) => {
    const world = await WholeStore.make(isEncrypted);
    const flips = new BitFlips(world);
    await flips.expectWhole();
    for (const site of flipSites(world, 907)) await flips.try(site);
    expect(flips.counts.flips).toBeGreaterThan(50);
    for (const count of Object.values(flips.counts)) expect(count).toBeGreaterThan(0);
  },
);
