import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { Collection } from "#src/store/collection.ts";
import { collectionDocumentName } from "#src/store/collection-document.ts";
import type { VersionedDocument } from "#src/store/objects.ts";
import { marksPerSegmentBytes } from "#src/store/slot-marks.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";
import { CancelledError, type WorkControl } from "#src/store/work-control.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { CollectionWorld } from "./collection-world.ts";
import type { MemoryObjects } from "./memory-objects.ts";
import { contentsOf, freely, MemoryStore, origin } from "./memory-store.ts";

/** Contents that nothing else has, from `first` on. */
function fresh(segment: number, first: number, count = 8): ClosedBlocks {
  return new ClosedBlocks(
    segment,
    Array.from({ length: count }, (_, index) => sound(first + index)),
  );
}

test("what no point reaches goes, what one reaches stays, also through a forward", async () => {
  const world = await CollectionWorld.open();
  const first = fresh(1, 100);
  const second = new ClosedBlocks(2, [sound(100), sound(107), sound(50), sound(51)]);
  const third = fresh(3, 200);
  await world.it.seal(first, second, third, fresh(4, 300));
  world.keep("a", 1, 3);
  world.keep("a", 2, 1, 2);
  const outcome = await world.collect();
  expect(outcome).toMatchObject({ removedSegments: 1, rewrittenSegments: 2, droppedBlocks: 8, skippedSegments: 0 });
  const { reader } = world.it.store;
  const [a, b, c, d, e, f, g, h] = await contentsOf(reader, first);
  expect([a, b, c, d, e, f, g, h]).toEqual([
    undefined,
    undefined,
    undefined,
    103,
    undefined,
    undefined,
    undefined,
    107,
  ]);
  expect(await contentsOf(reader, second)).toEqual([undefined, 107, 50, undefined]);
  expect(await contentsOf(reader, third)).toEqual(Array(8).fill(undefined));
  expect(await world.names()).toEqual(["1.0001", "2.0001", "4.0000"]);
});

test("what points need of each volume is noted with the plan, and nothing that only forwards lead to", async () => {
  const world = await CollectionWorld.open();
  const first = new ClosedBlocks(1, [sound(100), sound(101), sound(102, 2), sound(0, 2)]);
  const second = new ClosedBlocks(2, [sound(100, 2), sound(101, 2), sound(50, 3)]);
  await world.it.seal(first, second, fresh(3, 300, 2));
  world.keep("a", 1, 0, 2, 3);
  world.keep("a", 2, 1, 2);
  world.points.unsettled.add(3);
  await world.collection.plan({ neededBytes: 0 }, freely);
  const { group } = origin;
  const use = [
    { group, volume: 1, blockCount: 3 },
    { group, volume: 2, blockCount: 3 },
    { group, volume: 3, blockCount: 1 },
  ];
  expect(world.collection.document?.use).toEqual(use);
  await world.collection.run(freely);
  expect((await CollectionWorld.open(await MemoryStore.open(world.it.objects))).collection.document?.use).toEqual(use);
});

/** Two segments of which half is needed, and one that is the newest. */
async function halfNeeded(): Promise<CollectionWorld> {
  const world = await CollectionWorld.open();
  await world.it.seal(fresh(1, 100), fresh(2, 200), fresh(3, 300));
  for (const segment of [1, 2]) world.keep("a", segment, 0, 1, 2, 3);
  return world;
}

/** Ends when it is asked for the so-manieth time. */
function endedAt(turn: number): WorkControl {
  let turns = 0;
  const throwIfCancelled = (): void => {
    if (++turns >= turn) throw new CancelledError();
  };
  return { ...freely, throwIfCancelled };
}

test("a collection that was ended anywhere goes on in the next run, in this process or in another one", async () => {
  for (let turn = 1; ; turn++) {
    const world = await halfNeeded();
    await world.collection.plan({ neededBytes: 0 }, freely);
    const outcome = await world.collection.run(endedAt(turn)).catch((error: unknown) => error);
    if (!(outcome instanceof CancelledError)) {
      expect(turn).toBeGreaterThan(8);
      break;
    }
    expect(world.collection.isBegun).toBe(true);
    await expect(world.collection.plan({ neededBytes: 0 }, freely)).rejects.toThrow(RefuseError);
    const other = await CollectionWorld.open(await MemoryStore.open(world.it.objects), world.points);
    expect(other.collection.isBegun).toBe(true);
    // Until it has ended nothing new points there.
    await other.it.seal(new ClosedBlocks(4, [sound(100), sound(107)]));
    const { counts } = await other.it.store.segments.directory(4);
    expect(counts).toMatchObject({ kept: 2, forwards: 0 });
    await (turn % 2 === 0 ? other : world).collection.run(freely);
    const last = await CollectionWorld.open(await MemoryStore.open(world.it.objects), world.points);
    expect(last.collection.document?.state).toBe("ended");
    expect(await last.names()).toEqual(["1.0001", "2.0001", "3.0000", "4.0000"]);
    const half = [undefined, undefined, undefined, undefined];
    expect(await contentsOf(last.it.store.reader, fresh(1, 100))).toEqual([100, 101, 102, 103, ...half]);
  }
});

test("a segment that nobody needs goes however often the collection was ended before", async () => {
  for (let turn = 1; ; turn++) {
    const world = await CollectionWorld.open();
    await world.it.seal(fresh(1, 100), fresh(2, 200), fresh(3, 300));
    world.keep("a", 2, 1);
    await world.collection.plan({ neededBytes: 0 }, freely);
    const outcome = await world.collection.run(endedAt(turn)).catch((error: unknown) => error);
    if (!(outcome instanceof CancelledError)) {
      expect(turn).toBeGreaterThan(8);
      break;
    }
    await world.collection.run(freely);
    expect(await world.names()).toEqual(["2.0001", "3.0000"]);
    expect(world.it.store.segments.has(1)).toBe(false);
  }
});

test("fault 18: a note that was damaged, and is repaired before the next collection, stands in nobody's way", async () => {
  const { it, points } = await halfNeeded();
  const { collection } = await CollectionWorld.open(it, points);
  await collection.plan({ neededBytes: 0 }, freely);
  const noted = (await it.objects.readDocument(collectionDocumentName)) as VersionedDocument;
  const flipped = Buffer.from(noted.bytes);
  flipped[40] = (flipped[40] as number) ^ 1;
  const version = await it.objects.changeDocument(collectionDocumentName, flipped, noted.version);
  const next = await CollectionWorld.open(await MemoryStore.open(it.objects), points);
  expect(next.collection.document).toBeUndefined();
  await it.objects.changeDocument(collectionDocumentName, noted.bytes, version);
  expect(await next.collect(1)).toMatchObject({ rewrittenSegments: 2 });
});

test("what is planned is noted with its reasons, and what came of it", async () => {
  const world = await halfNeeded();
  world.points.unsettled.add(2);
  const plan = await world.collection.plan({ neededBytes: 0 }, freely);
  expect(plan.segments).toMatchObject([{ segment: 1, action: "rewrite", liveCount: 4, deadCount: 4 }]);
  expect(plan.left).toMatchObject([
    { segment: 3, reason: "newest" },
    { segment: 2, reason: "unsettled" },
  ]);
  const outcome = await world.collection.run(freely);
  expect(outcome).toMatchObject({ rewrittenSegments: 1, removedSegments: 0, droppedBlocks: 4 });
  const { document } = (await CollectionWorld.open(await MemoryStore.open(world.it.objects), world.points)).collection;
  expect(document).toMatchObject({ state: "ended", plan, outcome });
  const { freedBytes, writtenBytes } = world.collection.figures;
  expect(writtenBytes).toBe(outcome?.writtenBytes);
  expect(freedBytes).toBe((outcome?.removedBytes ?? 0) - writtenBytes);
  expect(freedBytes).toBeGreaterThan(0);
});

test("where nothing is to be done it is not looked twice what is needed", async () => {
  const world = await CollectionWorld.open();
  await world.it.seal(fresh(1, 100));
  expect(await world.collect()).toMatchObject({ rewrittenSegments: 0, removedSegments: 0 });
  expect(world.points.markCount).toBe(1);
  expect(await world.collection.run(freely)).toBe(undefined);
});

test("fault 18: a note of a collection that is damaged costs nothing but the note", async () => {
  const world = await halfNeeded();
  await world.collect();
  const { objects } = world.it;
  const version = (await objects.readDocument("collection.json"))?.version;
  await objects.changeDocument("collection.json", Buffer.from("nonsense"), version);
  const again = await CollectionWorld.open(await MemoryStore.open(objects), world.points);
  expect(again.collection.document).toBe(undefined);
  world.points.points.clear();
  expect(await again.collect()).toMatchObject({ removedSegments: 2 });
  expect(await again.names()).toEqual(["3.0000"]);
});

test("fault 18: while a directory that may need others cannot be read, nothing is collected", async () => {
  const world = await CollectionWorld.open();
  await world.it.seal(fresh(1, 100), new ClosedBlocks(2, [sound(100), sound(50)]), fresh(3, 300));
  world.keep("a", 2, 0, 1);
  const contents = (world.it.objects as MemoryObjects).contents;
  const damaged = contents.get("segments/000000000002.0000") as Buffer;
  damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
  const memory = await MemoryStore.open(world.it.objects, world.it.index);
  const again = await CollectionWorld.open(memory, world.points);
  await expect(again.collect()).rejects.toThrow(
    /nothing is collected: while segments\/000000000002.0000 cannot be read/,
  );
  expect(await again.names()).toEqual(["1.0000", "2.0000", "3.0000"]);
});

test("fault 18: a segment of which a needed block is damaged stays as it is", async () => {
  const world = await halfNeeded();
  const bytes = (world.it.objects as MemoryObjects).contents.get("segments/000000000001.0000") as Buffer;
  bytes[150] = (bytes[150] as number) ^ 1;
  expect(await world.collect()).toMatchObject({ rewrittenSegments: 1, skippedSegments: 1 });
  expect(await world.names()).toEqual(["1.0000", "2.0001", "3.0000"]);
});

test("what a service wrote otherwise than it was told is written once more before anything goes", async () => {
  const world = await halfNeeded();
  const { contents } = world.it.objects as MemoryObjects;
  const { create } = world.it.objects;
  let spoiled = 0;
  world.it.objects.create = (name) => {
    const writer = create.call(world.it.objects, name);
    const { finish } = writer;
    writer.finish = async () => {
      await finish();
      const bytes = contents.get(name) as Buffer;
      if (spoiled++ === 0) bytes[150] = (bytes[150] as number) ^ 1;
    };
    return writer;
  };
  await world.collect();
  expect(await world.names()).toEqual(["1.0001", "2.0002", "3.0000"]);
  const [a, b, c, d] = await contentsOf(world.it.store.reader, fresh(2, 200));
  expect([a, b, c, d]).toEqual([200, 201, 202, 203]);
});

test("fault 16: a plan puts back at once what its marks took of the reserve, also where nothing comes of it", async () => {
  const world = await CollectionWorld.open();
  const spaceBytes: number[] = [];
  const { disk, files } = new Simulation(1).host("a");
  files.makeFolder("/index");
  let given = 0;
  const reserve: SpaceReserve = {
    heldBytes: 0,
    folder: "/index",
    give: (byteLength) => {
      given += byteLength;
      disk.faults.capacityBytes += byteLength;
      return true;
    },
    refill: async () => {
      spaceBytes.push(disk.spaceBytes);
    },
  };
  disk.faults.capacityBytes = disk.spaceBytes;
  const collection = await Collection.open({ ...world.parts, files, reserve, marksBytes: 1 });
  await world.it.seal(fresh(1, 100), fresh(2, 200), fresh(3, 300));
  for (const segment of [1, 2, 3]) world.keep("a", segment, 0);
  await collection.plan({ neededBytes: 0 }, freely);
  world.points.points.set("b", new Set([1]));
  await expect(collection.plan({ neededBytes: 0 }, freely)).rejects.toThrow("an address");
  expect(spaceBytes).toEqual([0, 0]);
  expect(given).toBe(3 * marksPerSegmentBytes);
});
