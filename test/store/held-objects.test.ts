import { expect, test } from "vitest";
import { HeldObjects } from "#src/store/held-objects.ts";
import type { Objects } from "#src/store/objects.ts";
import { holdStore, takeStore } from "#src/store/store-holder.ts";
import type { WorkProgress } from "#src/store/work-control.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { CollectionWorld } from "./collection-world.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { contentsOf, freely, MemoryStore } from "./memory-store.ts";

const [own, other] = ["a".repeat(32), "b".repeat(32)] as const;
const first = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4)]);
const second = new ClosedBlocks(2, [sound(5), sound(6)]);

async function heldWorld(): Promise<{ objects: Objects; world: CollectionWorld }> {
  const objects = new MemoryObjects();
  await holdStore(objects, own, 1000);
  const world = await CollectionWorld.open(await MemoryStore.open(new HeldObjects(objects, own)));
  await world.it.seal(first, second, new ClosedBlocks(3, [sound(900)]));
  world.keep("a", 1, 0);
  return { objects, world };
}

test("who holds the store collects, also where the word on who holds it is damaged", async () => {
  const { objects, world } = await heldWorld();
  const version = (await objects.readDocument("holder.json"))?.version;
  await objects.changeDocument("holder.json", Buffer.from("nonsense"), version);
  await world.collect();
  expect(await world.names()).toEqual(["1.0001", "3.0000"]);
});

test("fault 20: who lost the store while he hung begins no collection any more", async () => {
  const { objects, world } = await heldWorld();
  await world.collection.plan({ neededBytes: 0 }, freely);
  await takeStore(objects, other, 2000, 0);
  await expect(world.collection.run(freely)).rejects.toThrow("another remote appliance");
  expect(await world.names()).toEqual(["1.0000", "2.0000", "3.0000"]);
  expect((await CollectionWorld.open(await MemoryStore.open(objects))).collection.isBegun).toBe(false);
});

test("fault 20: who loses the store in the middle of a collection removes and adds nothing any more", async () => {
  const { objects, world } = await heldWorld();
  await world.collection.plan({ neededBytes: 0 }, freely);
  let taking: Promise<unknown> | undefined;
  const progress = ({ what }: WorkProgress): void => {
    if (what === "removes what nobody needs") taking ??= takeStore(objects, other, 2000, 0);
  };
  await expect(world.collection.run({ ...freely, progress })).rejects.toThrow("another remote appliance");
  await taking;
  expect(await world.names()).toEqual(["1.0000", "2.0000", "3.0000"]);
  const reader = (await MemoryStore.open(objects)).store.reader;
  expect((await contentsOf(reader, first))[0]).toBe(1);
});

test("fault 20: who lost the store while he hung publishes nothing any more", async () => {
  const { objects, world } = await heldWorld();
  await takeStore(objects, other, 2000, 0);
  const late = new ClosedBlocks(4, [sound(7)]);
  await expect(world.it.seal(late)).rejects.toThrow("another remote appliance");
  expect(await world.names()).toEqual(["1.0000", "2.0000", "3.0000"]);
});

test("fault 20: who loses the store while he publishes does not hear that it is published", async () => {
  const objects = new MemoryObjects();
  await holdStore(objects, own, 1000);
  const create = objects.create.bind(objects);
  objects.create = (name) => {
    const writer = create(name);
    const published = writer.finish.bind(writer);
    const finish = async () => {
      await takeStore(objects, other, 2000, 0);
      await published();
    };
    return Object.assign(writer, { finish });
  };
  const it = await MemoryStore.open(new HeldObjects(objects, own));
  await expect(it.seal(first)).rejects.toThrow("another remote appliance");
});
