import { expect, test } from "vitest";
import { metDamageAgainMs, metDamageMax } from "#src/core/store-limits.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { MetDamage } from "#src/store/met-damage.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { contentsOf, MemoryStore } from "./memory-store.ts";
import { SpoiledObjects } from "./spoiled-objects.ts";

const first = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4)]);
const second = new ClosedBlocks(2, [sound(5), sound(2)]);

test("whoever reads what is damaged tells where: in the segment that was asked for, and where its forwards lead", async () => {
  const objects = new SpoiledObjects();
  const it = await MemoryStore.open(objects);
  await it.seal(first, second);
  objects.spoil(segmentObjectName({ segment: 1, generation: 0 }));
  const met: number[] = [];
  const reader = new BlockReader(it.store.segments, (segment) => met.push(segment));
  expect(await contentsOf(reader, second)).toEqual([5, undefined]);
  expect(met.sort()).toEqual([1, 2]);
});

test("what is read again and again is told once in a while, and no more is kept in mind than may be", () => {
  let nowMs = 0;
  const told: number[] = [];
  const damage = new MetDamage({ monotonicMs: () => nowMs }, (segment) => told.push(segment));
  for (let read = 0; read < 5; read++) damage.note(7);
  expect(told).toEqual([7]);
  nowMs = metDamageAgainMs;
  damage.note(7);
  expect(told).toEqual([7, 7]);
  for (let segment = 10; segment < 10 + metDamageMax; segment++) damage.note(segment);
  damage.note(7);
  expect(told).toHaveLength(3 + metDamageMax);
});
