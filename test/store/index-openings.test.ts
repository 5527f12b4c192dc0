import { describe, expect, test } from "vitest";
import { indexOpeningCountMax } from "#src/core/store-limits.ts";
import { distrustIndex } from "#src/store/index-folder.ts";
import { abandoned, asides, closedIndex, expectRebuilt } from "./filled-index.ts";
import { segmentOfBlocks } from "./index-blocks.ts";
import { openedIndex, type SimIndexWorld, simIndexWorld } from "./index-world.ts";

describe("fault 9: an index that ends whoever opens it", () => {
  test("is set aside when that has happened several times in a row", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    for (let round = 0; round < indexOpeningCountMax; round++) await abandoned(world);
    expect([asides(world), world.warnings]).toEqual([[], []]);
    const index = await openedIndex(world);
    expect(asides(world)).toHaveLength(1);
    expect(world.warnings).toEqual([expect.stringContaining("opened several times")]);
    await expectRebuilt(world, index);
  });

  const harmless: [string, (world: SimIndexWorld, round: number) => Promise<void>][] = [
    ["was closed in between", async (world) => world.drive((await world.open()).close())],
    [
      "has done some work",
      async (world, round) => {
        const index = await world.open();
        await world.drive(index.add({ segment: 100 + round, generation: 0 }, segmentOfBlocks(100 + round, [round])));
        await world.drive(index.flush());
        world.host.kill();
      },
    ],
  ];
  test.each(harmless)("is not one that %s", async (_what, work) => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    for (let round = 0; round < indexOpeningCountMax * 3; round++) {
      if (round % indexOpeningCountMax === 0) await work(world, round);
      else await abandoned(world);
    }
    expect(asides(world)).toEqual([]);
  });

  test("is not one whose machine has lost its power", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    for (let round = 0; round < indexOpeningCountMax * 3; round++) {
      await world.open();
      world.host.cutPower();
    }
    expect(asides(world)).toEqual([]);
  });

  test("is set aside when somebody says so", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    await world.drive(distrustIndex(world.parts()));
    const index = await openedIndex(world);
    expect(asides(world)).toHaveLength(1);
    await expectRebuilt(world, index);
  });
});
