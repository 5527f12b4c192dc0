import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { StoreTotals } from "#src/store/store-totals.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { ClosedBlocks, damaged, sound } from "./closed-blocks.ts";
import { FreeWork } from "./free-work.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { freely, MemoryStore } from "./memory-store.ts";

test("a store's size is that of what was written, of what is different in it, and of its objects", async () => {
  const objects = new MemoryObjects();
  const { store, parts, seal } = await opened(objects);
  const totals = new StoreTotals();
  expect(totals.sizes).toBeUndefined();
  await seal(
    new ClosedBlocks(1, [sound(1), sound(2), sound(1), sound(0)]),
    new ClosedBlocks(2, [sound(2), damaged(3)]),
  );
  await totals.count(objects, store.segments, freely);
  const objectBytes = () => [...objects.contents.values()].reduce((sum, { length }) => sum + length, 0);
  expect(totals.sizes).toEqual({
    segmentCount: 2,
    logicalBytes: 5 * blockBytes,
    uniqueBytes: 2 * blockBytes,
    physicalBytes: objectBytes(),
    damagedBlocks: 1,
  });
  const change = { isDropped: (slot: number) => slot !== 1, ifUnreadable: "refuse" } as const;
  await rewriteSegment(parts, { segment: 1, generation: 0 }, 1, change, freely);
  store.segments.published({ segment: 1, generation: 1 });
  await totals.count(objects, store.segments, freely);
  expect(totals.sizes).toMatchObject({ logicalBytes: 2 * blockBytes, uniqueBytes: blockBytes });
  expect(totals.sizes?.physicalBytes).toBe(objectBytes());
});

test("counting may be ended", async () => {
  const objects = new MemoryObjects();
  const { store, seal } = await opened(objects);
  await seal(new ClosedBlocks(1, [sound(1)]));
  const work = new FreeWork();
  work.isCancelled = true;
  await expect(new StoreTotals().count(objects, store.segments, work)).rejects.toThrow(CancelledError);
});

async function opened(objects: MemoryObjects) {
  const memory = await MemoryStore.open(objects);
  return { store: memory.store, parts: memory.parts, seal: memory.seal.bind(memory) };
}
