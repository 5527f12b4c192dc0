import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { addressOf } from "#src/records/address.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { DyingBlocks } from "#src/store/dying-blocks.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { ClosedBlocks, contentOf, sound } from "./closed-blocks.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { contentsOf, freely, MemoryStore, origin } from "./memory-store.ts";

const first = new ClosedBlocks(1, [sound(1), sound(2), sound(3)]);
const second = new ClosedBlocks(2, [sound(3), sound(4), sound(1), sound(3)]);

async function countsOf(it: MemoryStore, segment: number) {
  return (await it.store.segments.directory(segment)).counts;
}

test("blocks are dying from when they are told until they are released", () => {
  const dying = new DyingBlocks();
  dying.hold(1);
  dying.hold(2, (slot) => slot === 5);
  const addresses = [addressOf(1, 0), addressOf(2, 4), addressOf(2, 5), addressOf(3, 5)];
  expect(addresses.map((address) => dying.has(address))).toEqual([true, false, true, false]);
  dying.hold(1, (slot) => slot === 1);
  dying.release(2);
  expect(addresses.map((address) => dying.has(address))).toEqual([false, false, false, false]);
});

test("nothing that is sealed points to a dying block, also where the index was rebuilt meanwhile", async () => {
  for (const isRebuilt of [false, true]) {
    const it = await MemoryStore.open();
    await it.seal(first);
    it.store.dying.hold(1, (slot) => slot === 2);
    if (isRebuilt) {
      it.index.lose();
      await it.store.catchUp();
      expect(it.index.count).toBe(2);
    }
    await it.seal(second);
    expect(await countsOf(it, 2)).toMatchObject({ kept: 2, forwards: 2 });
    expect(await contentsOf(it.store.reader, second)).toEqual([3, 4, 1, 3]);
  }
});

test("what is being sealed is waited for, whatever comes of it", async () => {
  for (const failure of [undefined, new RetryError("not now")]) {
    const objects = new MemoryObjects();
    const it = await MemoryStore.open(objects);
    await it.store.presentSealOver();
    const { promise, resolve } = Promise.withResolvers<void>();
    const create = objects.create.bind(objects);
    objects.create = (name) => {
      const writer = create(name);
      const { finish } = writer;
      writer.finish = async (): Promise<void> => {
        await promise;
        if (failure !== undefined) throw failure;
        await finish();
      };
      return writer;
    };
    let isOver = false;
    const sealing = it.store.seal(first, origin).catch((error: unknown) => error);
    const over = it.store.presentSealOver().then(() => {
      isOver = true;
    });
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    expect(isOver).toBe(false);
    resolve();
    await over;
    await sealing;
  }
});

test("a segment that came to be there unseen, and points to what was collected since, is sealed anew", async () => {
  const objects = new MemoryObjects();
  const it = await MemoryStore.open(objects);
  await it.seal(first, second);
  const late = objects.contents.get("segments/000000000002.0000") as Buffer;
  objects.contents.delete("segments/000000000002.0000");
  const again = await MemoryStore.open(objects);
  const change = { isDropped: (slot: number) => slot === 2, ifUnreadable: "refuse" as const };
  const { identity } = await rewriteSegment(again.parts, { segment: 1, generation: 0 }, 1, change, freely);
  again.store.segments.published(identity);
  objects.contents.set("segments/000000000002.0000", late);
  const third = new ClosedBlocks(3, [sound(4), sound(3)]);
  const reader = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
  await again.seal(second);
  expect(reader.generationOf(2)).toBe(0);
  expect(await reader.lookFor(2)).toBe(true);
  expect(await contentsOf(new BlockReader(reader), second)).toEqual([3, 4, 1, 3]);
  await again.seal(third);
  expect(again.store.segments.generationOf(2)).toBe(1);
  expect(await countsOf(again, 2)).toMatchObject({ kept: 3, forwards: 1 });
  expect(await contentsOf(again.store.reader, second)).toEqual([3, 4, 1, 3]);
  expect(await contentsOf(again.store.reader, third)).toEqual([4, 3]);
  const later = await MemoryStore.open(objects);
  await later.seal(second);
  expect(later.store.segments.generationOf(2)).toBe(1);
  expect(await contentsOf(later.store.reader, second)).toEqual([3, 4, 1, 3]);
});

test("what is sealed anew keeps all that it kept, also a block that it has twice by then", async () => {
  const it = await MemoryStore.open();
  const twice = new ClosedBlocks(2, [sound(3), sound(4), sound(3)]);
  await it.seal(first, twice);
  expect(await countsOf(it, 2)).toMatchObject({ kept: 1, forwards: 2 });
  const replacement = async (slot: number) => (slot === 2 ? contentOf(3) : undefined);
  const repair = { isDropped: () => false, replacement, ifUnreadable: "refuse" as const };
  const repaired = await rewriteSegment(it.parts, { segment: 2, generation: 0 }, 1, repair, freely);
  it.store.segments.published(repaired.identity);
  await it.index.add(repaired.identity, repaired.added);
  const third = new ClosedBlocks(3, [sound(3), sound(4)]);
  await it.seal(third);
  expect(await countsOf(it, 3)).toMatchObject({ kept: 0, forwards: 2 });
  const drop = { isDropped: () => true, ifUnreadable: "refuse" as const };
  const { identity } = await rewriteSegment(it.parts, { segment: 1, generation: 0 }, 1, drop, freely);
  it.store.segments.published(identity);
  await it.seal(twice);
  expect(it.store.segments.generationOf(2)).toBe(2);
  expect(await contentsOf(it.store.reader, twice)).toEqual([3, 4, 3]);
  expect(await contentsOf(it.store.reader, third)).toEqual([3, 4]);
});
