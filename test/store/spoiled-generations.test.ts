import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { ClosedBlocks, contentOf, sound } from "./closed-blocks.ts";
import { CollectionWorld } from "./collection-world.ts";
import { contentsOf, freely, MemoryStore } from "./memory-store.ts";
import { SpoiledObjects } from "./spoiled-objects.ts";

const needed = [0, 1, 2, 3, 4, 5];
const gone = Array<undefined>(10).fill(undefined);

function fresh(segment: number, first: number, length = 16): ClosedBlocks {
  return new ClosedBlocks(
    segment,
    Array.from({ length }, (_, index) => sound(first + index)),
  );
}

/** As another process finds it. */
async function opened(world: CollectionWorld): Promise<CollectionWorld> {
  return await CollectionWorld.open(await MemoryStore.open(world.it.objects), world.points);
}

interface Repair {
  readonly from: number;
  readonly to: number;
  /** The slot of which a second copy was found, and the number of its content. */
  readonly slot: number;
  readonly content: number;
}

/** What repair writes when it has found a copy of one block, and of no other one. */
async function repair(world: CollectionWorld, segment: number, { from, to, slot: copied, content }: Repair) {
  const replacement = async (slot: number) => (slot === copied ? contentOf(content) : undefined);
  const change = { isDropped: () => false, replacement, ifUnreadable: "markDamaged" as const };
  return await rewriteSegment(world.it.parts, { segment, generation: from }, to, change, freely);
}

interface SpoiledWorld {
  readonly objects: SpoiledObjects;
  readonly world: CollectionWorld;
  /** Of which six blocks are needed, which its generation 0 has. */
  readonly closed: ClosedBlocks;
}

/** A collection whose writes all go wrong. */
async function thriceSpoiled(): Promise<SpoiledWorld> {
  const objects = new SpoiledObjects();
  const world = await CollectionWorld.open(await MemoryStore.open(objects));
  const closed = fresh(1, 100);
  await world.it.seal(closed, fresh(2, 900));
  world.keep("a", 1, ...needed);
  objects.spoilCount = 3;
  await expect(world.collect()).rejects.toThrow(StopError);
  expect(await world.names()).toEqual(["1.0000", "1.0001", "1.0002", "1.0003", "2.0000"]);
  return { objects, world, closed };
}

/** One whose write went wrong, and who died before it read it back; a forward that nobody needs leads nowhere. */
async function spoiledAndDied(spoilAt: number): Promise<SpoiledWorld> {
  const objects = new SpoiledObjects();
  const world = await CollectionWorld.open(await MemoryStore.open(objects));
  const closed = new ClosedBlocks(2, [...fresh(2, 300).slots, sound(100)]);
  await world.it.seal(fresh(1, 100), closed, fresh(3, 900));
  world.keep("a", 2, ...closed.slots.keys().take(16));
  await world.collect();
  expect(await world.names()).toEqual(["2.0000", "3.0000"]);
  world.points.points.clear();
  world.keep("a", 2, ...needed);
  await world.collection.plan({ neededBytes: 0 }, freely);
  objects.spoilCount = 1;
  objects.spoilAt = spoilAt;
  const change = { isDropped: (slot: number) => !needed.includes(slot), ifUnreadable: "refuse" as const };
  await rewriteSegment(world.it.parts, { segment: 2, generation: 0 }, 1, change, freely);
  return { objects, world, closed };
}

test("while what was written does not come back, what was there before is read", async () => {
  const { world, closed } = await thriceSpoiled();
  expect((await contentsOf(world.it.store.reader, closed)).slice(0, 6)).toEqual([100, 101, 102, 103, 104, 105]);
});

test("fault 18: after three bad writes the next run goes back to the one that is sound", async () => {
  for (const isSameProcess of [true, false]) {
    const { world, closed } = await thriceSpoiled();
    const next = isSameProcess ? world : await opened(world);
    await next.collection.run(freely);
    expect(await next.names()).toEqual(["1.0004", "2.0000"]);
    expect(await contentsOf(next.it.store.reader, closed)).toEqual([100, 101, 102, 103, 104, 105, ...gone]);
  }
});

test("fault 18: a repair on top of bad writes does not cost the one that is sound", async () => {
  const { world, closed } = await thriceSpoiled();
  await repair(world, 1, { from: 3, to: 4, slot: 3, content: 103 });
  const next = await opened(world);
  await next.collection.run(freely);
  expect(await next.names()).toEqual(["1.0005", "2.0000"]);
  expect(await contentsOf(next.it.store.reader, closed)).toEqual([100, 101, 102, 103, 104, 105, ...gone]);
});

test("fault 18: a bad write that nobody read back is no obstacle, whatever leads nowhere", async () => {
  // In a frame, in the directory, in the footer.
  for (const spoilAt of [200, -900, -64]) {
    const { world, closed } = await spoiledAndDied(spoilAt);
    const next = await opened(world);
    await next.collection.run(freely);
    expect(await next.names()).toEqual(["2.0002", "3.0000"]);
    expect(await contentsOf(next.it.store.reader, closed)).toEqual([300, 301, 302, 303, 304, 305, ...gone, undefined]);
  }
});

test("fault 18: what each of two generations has lost the other one gives", async () => {
  const objects = new SpoiledObjects();
  const world = await CollectionWorld.open(await MemoryStore.open(objects));
  const closed = fresh(1, 100, 64);
  await world.it.seal(closed, fresh(2, 900));
  world.keep("a", 1, ...closed.slots.keys());
  const names = ["segments/000000000001.0000", "segments/000000000001.0001"] as const;
  objects.spoil(names[0]);
  const replacement = async (slot: number) => contentOf(100 + slot);
  const change = { isDropped: () => false, replacement, ifUnreadable: "refuse" as const };
  await rewriteSegment(world.it.parts, { segment: 1, generation: 0 }, 1, change, freely);
  objects.spoil(names[1], Math.floor((objects.contents.get(names[1])?.length ?? 0) / 2));
  const other = await opened(world);
  expect(await contentsOf(other.it.store.reader, closed)).toContain(undefined);
  await other.collect();
  expect(await other.names()).toEqual(["1.0002", "2.0000"]);
  expect(await contentsOf(other.it.store.reader, closed)).toEqual(closed.slots.map(({ content }) => content));
});

/** Repair found a copy of one block where none of the first frame could be read, wrote what it had, and died. */
async function repairedAndDied(): Promise<SpoiledWorld & { readonly sealed: Buffer }> {
  const objects = new SpoiledObjects();
  const world = await CollectionWorld.open(await MemoryStore.open(objects));
  const closed = fresh(1, 100);
  await world.it.seal(closed, fresh(2, 900));
  world.keep("a", 1, ...closed.slots.keys());
  const sealed = objects.contents.get(oldest) as Buffer;
  objects.spoil(oldest);
  const { lostSlots } = await repair(world, 1, { from: 0, to: 1, slot: 3, content: 103 });
  expect(lostSlots).toEqual([0, 1, 2]);
  return { objects, world, closed, sealed };
}

/** Before it the first frame ends, and only that one begins. */
const frameEnd = 4096;
const oldest = "segments/000000000001.0000";

test("fault 18: what repair noted as lost, and can be read by now, is taken from the older generation", async () => {
  const { objects, world, closed, sealed } = await repairedAndDied();
  objects.contents.set(oldest, sealed);
  const next = await opened(world);
  await next.collect();
  expect(await next.names()).toEqual(["1.0002", "2.0000"]);
  expect(await contentsOf(next.it.store.reader, closed)).toEqual(closed.slots.map(({ content }) => content));
});

test("fault 18: an older generation that the disk does not give just now stays until it does", async () => {
  const { objects, world, closed, sealed } = await repairedAndDied();
  objects.contents.set(oldest, sealed);
  const { read } = objects;
  let isSick = true;
  objects.read = async (name, target, position) => {
    const isFrame = position > 0 && position < frameEnd;
    if (isSick && name === oldest && isFrame) throw new StopError("the disk has failed");
    return await read.call(objects, name, target, position);
  };
  const next = await opened(world);
  await next.collect();
  expect(await next.names()).toEqual(["1.0000", "1.0001", "2.0000"]);
  isSick = false;
  await next.collect();
  expect(await next.names()).toEqual(["1.0002", "2.0000"]);
  expect(await contentsOf(next.it.store.reader, closed)).toEqual(closed.slots.map(({ content }) => content));
});

test("fault 18: an older generation of which nothing is left that the newer one lacks goes", async () => {
  const { world, closed } = await repairedAndDied();
  const next = await opened(world);
  await next.collect();
  expect(await next.names()).toEqual(["1.0001", "2.0000"]);
  const [lost, , , copied, behind] = await contentsOf(next.it.store.reader, closed);
  expect([lost, copied, behind]).toEqual([undefined, 103, 104]);
});
