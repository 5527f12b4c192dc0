/** A bit of each so many bytes of a small store; the long suite has more of them. */
import { expect, test } from "vitest";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { flipSites, tryFlip } from "./bit-flips.ts";
import { ScrubWorld } from "./scrub-world.ts";

test.each([false, true])(
  "fault 18: a bit turned anywhere in a store gives no wrong bytes, is found, and is turned back (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    const random = new SeededRandom(isEncrypted ? 18 : 17);
    let count = 0;
    for (const site of flipSites(world, () => (random.integerBelow(30) === 0 ? [random.integerBelow(8)] : []))) {
      await tryFlip(world, site);
      count++;
    }
    expect(count).toBeGreaterThan(120);
  },
);

test("fault 18: a bit turned in an object of which only the container is known is turned back", async () => {
  const world = await ScrubWorld.make(true);
  const isHeaderOfPart = (byte: number) => byte >= 128 && byte < 160;
  for (const site of flipSites(world, (byte) => (isHeaderOfPart(byte) ? [0, 3, 7] : []))) {
    if (site.name.startsWith("snapshots/")) await tryFlip(world, site);
  }
});
