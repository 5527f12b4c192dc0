/** What is known of damage, and that nothing new points to it. */
import { expect, test } from "vitest";
import { addressOf } from "#src/records/address.ts";
import { DamagedBlocks } from "#src/store/damaged-blocks.ts";
import { mergedRanges } from "#src/store/slot-ranges.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { origin, Segment, SegmentWorld } from "./segment-world.ts";

test("ranges that touch are said as one, and nearest ones where there are too many", () => {
  const ranges = [9, 1, 2, 20, 22].map((slot) => ({ slot, count: 1 }));
  const one = (slot: number, count: number) => ({ slot, count });
  expect(mergedRanges(ranges)).toEqual([one(1, 2), one(9, 1), one(20, 1), one(22, 1)]);
  expect(mergedRanges(ranges, 3)).toEqual([one(1, 2), one(9, 1), one(20, 3)]);
  expect(mergedRanges(ranges, 1)).toEqual([one(1, 22)]);
  expect(mergedRanges([one(0, 10), one(3, 2)])).toEqual([one(0, 10)]);
});

test("a block is damaged, or not known any more, until its segment is told to be sound", () => {
  const damaged = new DamagedBlocks();
  damaged.set(3, [{ slot: 5, count: 2 }], [{ slot: 9, count: 1 }]);
  const told = (slot: number) => [damaged.has(addressOf(3, slot)), damaged.isUnreadable(addressOf(3, slot))];
  expect([4, 5, 6, 7, 9].map(told)).toEqual([
    [false, false],
    [true, true],
    [true, true],
    [false, false],
    [true, false],
  ]);
  expect(damaged.has(addressOf(4, 5))).toBe(false);
  expect(damaged.blockCount).toBe(2);
  damaged.set(3, []);
  expect([damaged.isEmpty, damaged.has(addressOf(3, 5))]).toEqual([true, false]);
});

test("what is written again of a block that is known to be damaged is kept anew", async () => {
  const world = await SegmentWorld.make(1);
  const store = await world.store(world.inner);
  const random = new SeededRandom(5);
  const first = new Segment(1, random);
  const again = new Segment(2, random);
  again.blocks.splice(0, again.blocks.length, ...first.blocks);
  const later = new Segment(3, random);
  later.blocks.splice(0, later.blocks.length, ...first.blocks);
  await driven(world.driver, store.seal(first, origin));
  store.damaged.set(1, [{ slot: 0, count: 40 }]);
  await driven(world.driver, store.seal(again, origin));
  const [one, two] = [await world.counts(store, 1), await world.counts(store, 2)];
  expect(two).toEqual(one);
  await driven(world.driver, store.seal(later, origin));
  expect((await world.counts(store, 3)).kept).toBe(0);
});
