/**
 * A bit of one in three bytes of a small store, both drawn from a seed: the short suite has one in twelve. All eight bits of
 * all bytes would be 88000, and after each of them a whole store is read, checked and scrubbed: on two busy cores that took
 * more than half an hour.
 */
import { expect, test } from "vitest";
import { oneIn, shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { flipSites, tryFlip } from "./bit-flips.ts";
import { ScrubWorld } from "./scrub-world.ts";

test.each([false, true])(
  "fault 18: a bit of one in three bytes of a store, turned, is found, and turned back (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    const random = new SeededRandom(isEncrypted ? 182 : 181);
    let count = 0;
    for (const site of flipSites(world, () => (random.integerBelow(3 * oneIn) === 0 ? [random.integerBelow(8)] : []))) {
      await tryFlip(world, site);
      count++;
    }
    expect(count).toBeGreaterThan(shareOf(1500));
  },
);
