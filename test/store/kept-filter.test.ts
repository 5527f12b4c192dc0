import { describe, expect, test } from "vitest";
import { addressOf, holeAddress } from "#src/records/address.ts";
import { abandoned, closedIndex, flipBit } from "./filled-index.ts";
import { found, segmentOfBlocks } from "./index-blocks.ts";
import { openedIndex, simIndexWorld } from "./index-world.ts";

describe("the filter that was kept", () => {
  test("is used, and not made anew", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    const index = await world.open();
    expect(index.figures().hasFilter).toBe(true);
    expect(found(index, [0])).toEqual([addressOf(5, 0)]);
    await world.drive(index.close());
  });

  test.each([0, 6, 30, 60, 64, 5000])(
    "fault 18: is not used with a flipped bit in byte %d, and is made anew",
    async (at) => {
      const world = simIndexWorld(1);
      await closedIndex(world);
      flipBit(world, "/index/fingerprints.filter", at);
      const index = await openedIndex(world);
      expect(index.figures().hasFilter).toBe(false);
      expect(found(index, [0, 149, 300])).toEqual([addressOf(5, 0), addressOf(6, 49), holeAddress]);
      await world.driver.until(() => index.figures().hasFilter);
      expect(found(index, [0, 149, 300])).toEqual([addressOf(5, 0), addressOf(6, 49), holeAddress]);
    },
  );

  test("is made anew after a crash, and takes in what comes meanwhile", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    await abandoned(world);
    const index = await openedIndex(world);
    expect(index.figures().hasFilter).toBe(false);
    await world.drive(index.add({ segment: 7, generation: 0 }, segmentOfBlocks(7, [200])));
    await world.drive(index.flush());
    await world.driver.until(() => index.figures().hasFilter);
    expect(found(index, [0, 149, 200])).toEqual([addressOf(5, 0), addressOf(6, 49), addressOf(7, 0)]);
  });
});
