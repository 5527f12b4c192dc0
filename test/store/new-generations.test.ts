import { expect, test } from "vitest";
import { BlockReader } from "#src/store/block-reader.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { contentsOf, freely, MemoryStore } from "./memory-store.ts";

const segment = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(5)]);
const forwards = new ClosedBlocks(2, [sound(5), sound(2)]);

/** Somebody else who only reads. */
async function readerOf(objects: MemoryObjects): Promise<BlockReader> {
  return new BlockReader(
    await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined)),
  );
}

async function rewritten(it: MemoryStore, generation: number, dropped: number): Promise<void> {
  const change = { isDropped: (slot: number) => slot === dropped, ifUnreadable: "refuse" as const };
  await rewriteSegment(it.parts, { segment: 1, generation }, generation + 1, change, freely);
  await it.objects.remove(segmentObjectName({ segment: 1, generation }));
}

test("who knows an older generation finds the one that has taken its place, also through a forward", async () => {
  const objects = new MemoryObjects();
  const it = await MemoryStore.open(objects);
  await it.seal(segment, forwards);
  const [fresh, used, forwarded] = [await readerOf(objects), await readerOf(objects), await readerOf(objects)];
  expect(await contentsOf(used, segment)).toEqual([1, 2, 3, 4, 5]);
  await rewritten(it, 0, 0);
  expect(await contentsOf(fresh, segment)).toEqual([undefined, 2, 3, 4, 5]);
  // It may still have the block that was dropped in its memory, and that is what it was.
  expect((await contentsOf(used, segment)).slice(1)).toEqual([2, 3, 4, 5]);
  expect(await contentsOf(forwarded, forwards)).toEqual([5, 2]);
});

test("several generations may have gone by, and the segment as well", async () => {
  const objects = new MemoryObjects();
  const it = await MemoryStore.open(objects);
  await it.seal(segment, forwards);
  const reader = await readerOf(objects);
  for (const generation of [0, 1, 2]) await rewritten(it, generation, [0, 2, 3][generation] as number);
  expect(await contentsOf(reader, forwards)).toEqual([5, 2]);
  expect(await contentsOf(reader, segment)).toEqual([undefined, 2, undefined, undefined, 5]);
  await it.objects.remove(segmentObjectName({ segment: 1, generation: 3 }));
  const late = await readerOf(objects);
  expect(await contentsOf(late, forwards)).toEqual([undefined, undefined]);
  expect(late.has(1)).toBe(false);
});

test("whatever a reader does, the next generation may come in between", async () => {
  for (let reads = 0; reads < 12; reads++) {
    const objects = new MemoryObjects();
    const it = await MemoryStore.open(objects);
    await it.seal(segment, forwards);
    let left = reads;
    const interrupted = {
      ...objects,
      list: objects.list.bind(objects),
      sizeBytes: objects.sizeBytes.bind(objects),
      readDocument: objects.readDocument.bind(objects),
      close: objects.close.bind(objects),
      read: async (name: string, target: Buffer, position: number) => {
        if (left-- === 0) await rewritten(it, 0, 2);
        return await objects.read(name, target, position);
      },
    };
    const segments = await SealedSegments.open(interrupted, (identity) =>
      SegmentFile.open(interrupted, identity, undefined),
    );
    const reader = new BlockReader(segments);
    expect(await contentsOf(reader, forwards)).toEqual([5, 2]);
    expect((await contentsOf(reader, segment)).with(2, undefined)).toEqual([1, 2, undefined, 4, 5]);
  }
});

test("an object that is gone says which one it was", async () => {
  const error = await new MemoryObjects().sizeBytes("segments/1").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AbsentObjectError);
  expect((error as AbsentObjectError).objectName).toBe("segments/1");
});
