/** What was sealed is read from where it lies before anybody relies on it. */
import { expect, test } from "vitest";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { contentsOf, MemoryStore } from "./memory-store.ts";
import { SpoiledObjects } from "./spoiled-objects.ts";

const closed = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(5)]);
const generation = (number: number) => segmentObjectName({ segment: 1, generation: number });

test.each([150, 200, -200, -20])(
  "a segment that came to lie there with other bytes at %s is written once more",
  async (spoilAt) => {
    const objects = new SpoiledObjects();
    const it = await MemoryStore.open(objects);
    Object.assign(objects, { spoilCount: 1, spoilAt });
    await it.seal(closed);
    expect([...objects.contents.keys()]).toEqual([generation(0), generation(1)]);
    expect(it.store.segments.generationOf(1)).toBe(1);
    expect(await contentsOf(it.store.reader, closed)).toEqual([1, 2, 3, 4, 5]);
    expect(await contentsOf((await MemoryStore.open(objects)).store.reader, closed)).toEqual([1, 2, 3, 4, 5]);
  },
);

test("where nothing comes back nobody hears that it is sealed", async () => {
  const objects = new SpoiledObjects();
  const it = await MemoryStore.open(objects);
  objects.spoilCount = 10;
  await expect(it.seal(closed)).rejects.toThrow("what is written to the store does not come back");
  expect(it.store.segments.has(1)).toBe(false);
});

test.each([200, -250, -330])(
  "one that was published before its writer died is read back by the next one (damaged at %s)",
  async (at) => {
    const objects = new SpoiledObjects();
    await (await MemoryStore.open(objects)).seal(closed);
    objects.spoil(generation(0), at);
    const next = await MemoryStore.open(objects);
    await next.seal(closed);
    expect(next.store.segments.generationOf(1)).toBe(1);
    expect(await contentsOf(next.store.reader, closed)).toEqual([1, 2, 3, 4, 5]);
  },
);
