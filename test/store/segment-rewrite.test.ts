import { expect, test } from "vitest";
import { addressOf } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { rewriteSegment, type SegmentChange } from "#src/store/segment-rewrite.ts";
import { slotKind, slotKindAt } from "#src/store/slot-page.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { ClosedBlocks, type ClosedSlot, contentOf, damaged, none, sound } from "./closed-blocks.ts";
import type { MemoryObjects } from "./memory-objects.ts";
import { contentsOf, freely, MemoryStore } from "./memory-store.ts";

const first = { segment: 1, generation: 0 };
const drops = (...slots: readonly number[]): SegmentChange => ({
  isDropped: (slot) => slots.includes(slot),
  ifUnreadable: "refuse",
});
const keepsAll = drops();

async function rewritten(it: MemoryStore, change: SegmentChange, from = first) {
  const outcome = await rewriteSegment(it.parts, from, from.generation + 1, change, freely);
  it.store.segments.published(outcome.identity);
  return outcome;
}

/** Flips a bit of a frame of the segment's first generation. */
function spoil(it: MemoryStore, offset = 140): void {
  const bytes = (it.objects as MemoryObjects).contents.get("segments/000000000001.0000") as Buffer;
  bytes[offset] = (bytes[offset] as number) ^ 1;
}

test("what is dropped is gone, and all else is what and where it was", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new SeededRandom(seed);
    const it = await MemoryStore.open();
    const slots = Array.from({ length: random.integerBelow(1200) + 1 }, (): ClosedSlot => {
      const kind = random.integerBelow(8);
      if (kind === 0) return none;
      if (kind === 1) return damaged(5);
      return sound(random.integerBelow(kind < 4 ? 20 : 100_000), 1 + random.integerBelow(3));
    });
    const before = new ClosedBlocks(2, [sound(1), sound(2)]);
    const segment = new ClosedBlocks(1, slots);
    await it.seal(before, segment);
    const read = await contentsOf(it.store.reader, segment);
    const share = random.integerBelow(5);
    const dropped = new Set(slots.keys().filter(() => random.integerBelow(5) < share));
    // A forward within the segment needs what it points to, as whoever marks what is needed knows.
    const directory = await it.store.segments.directory(1);
    for (const slot of slots.keys()) {
      const page = await directory.slots(Math.floor(slot / 512));
      const start = (slot % 512) * 24;
      if (slotKindAt(page, start) !== slotKind.forward || dropped.has(slot)) continue;
      const target = page.readUIntLE(start + 16, 6);
      if (target >= addressOf(1, 0) && target < addressOf(2, 0)) dropped.delete(target - addressOf(1, 0));
    }
    const { counts, lostSlots, added } = await rewritten(it, drops(...dropped));
    expect(await contentsOf(it.store.reader, segment)).toEqual(
      read.map((block, slot) => (dropped.has(slot) ? undefined : block)),
    );
    expect(counts.slots).toBe(slots.length);
    expect([lostSlots, added.count]).toEqual([[], 0]);
    expect(await contentsOf(it.store.reader, before)).toEqual([1, 2]);
  }
});

test("a segment may be written again and again", async () => {
  const it = await MemoryStore.open();
  const segment = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(5), sound(6)]);
  await it.seal(segment);
  await rewritten(it, drops(0));
  await rewritten(it, drops(3, 4), { segment: 1, generation: 1 });
  const expected = [undefined, 2, 3, undefined, undefined, 6];
  expect(await contentsOf(it.store.reader, segment)).toEqual(expected);
});

test("where a needed block cannot be read nothing is written, and where it is not needed it goes", async () => {
  const it = await MemoryStore.open();
  const segment = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(5)]);
  await it.seal(segment);
  spoil(it);
  await expect(rewritten(it, drops(1))).rejects.toThrow(ObjectDamageError);
  expect([...(it.objects as MemoryObjects).contents.keys()]).toEqual(["segments/000000000001.0000"]);
  await rewritten(it, drops(0, 1, 2, 3));
  expect(await contentsOf(it.store.reader, segment)).toEqual([...Array(4).fill(undefined), 5]);
});

test("a block that nobody can replace stays where it was, as damaged", async () => {
  const it = await MemoryStore.open();
  const segment = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(5), damaged(6)]);
  await it.seal(segment);
  spoil(it);
  const { lostSlots, counts } = await rewritten(it, { ...drops(2), ifUnreadable: "markDamaged" });
  expect(lostSlots).toEqual([0, 1, 3]);
  expect(counts).toEqual({ slots: 6, kept: 1, forwards: 0, zeros: 0, damaged: 4, frames: 1 });
  expect(await contentsOf(it.store.reader, segment)).toEqual([...Array(4).fill(undefined), 5, undefined]);
});

test("a block that fits takes the place of a damaged one, one that does not fit is not taken", async () => {
  const it = await MemoryStore.open();
  const segment = new ClosedBlocks(1, [sound(1), sound(2), sound(3), sound(4), sound(4), damaged(6), damaged(7)]);
  await it.seal(segment);
  spoil(it);
  const asked: number[] = [];
  const replacement = async (slot: number): Promise<Buffer> => {
    asked.push(slot);
    return contentOf(slot === 2 || slot === 6 ? 99 : (segment.slots[slot]?.content ?? 0));
  };
  const outcome = await rewritten(it, { isDropped: () => false, replacement, ifUnreadable: "markDamaged" });
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(outcome.lostSlots).toEqual([2]);
  expect([...outcome.added.addresses]).toEqual([addressOf(1, 4), addressOf(1, 5)]);
  const expected = [1, 2, undefined, 4, 4, 6, undefined];
  expect(await contentsOf(it.store.reader, segment)).toEqual(expected);
});

test("what is ended in the middle leaves nothing behind", async () => {
  const it = await MemoryStore.open();
  const segment = new ClosedBlocks(
    1,
    Array.from({ length: 2000 }, (_, slot) => sound(slot + 1)),
  );
  await it.seal(segment);
  let pages = 0;
  const ended = {
    ...freely,
    throwIfCancelled: () => {
      if (++pages === 3) throw new CancelledError();
    },
  };
  await expect(rewriteSegment(it.parts, first, 1, keepsAll, ended)).rejects.toThrow(CancelledError);
  expect([...(it.objects as MemoryObjects).contents.keys()]).toEqual(["segments/000000000001.0000"]);
});
