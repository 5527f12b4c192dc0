import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax, sealRunBlocks, slotsPerPage } from "#src/core/store-limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { addressOf } from "#src/records/address.ts";
import { partType } from "#src/store/part.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { slotKind, slotKindAt } from "#src/store/slot-page.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { MemorySegments } from "./memory-segments.ts";

interface Slot {
  readonly state: number;
  readonly volume: number;
  readonly block: Buffer;
}

function block(content: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  for (let at = 0; at < blockBytes && content > 0; at += 4)
    bytes.writeUInt32LE((content * 2_654_435_761 + at) >>> 0, at);
  return bytes;
}

const sound = (content: number, volume = 1): Slot => ({ state: blockState.sound, volume, block: block(content) });
const damaged: Slot = { state: blockState.damaged, volume: 1, block: block(77) };
const none: Slot = { state: blockState.none, volume: 0, block: block(0) };

function closed(segment: number, slots: readonly Slot[]): ClosedSegment {
  return {
    segment,
    slotCount: slots.length,
    read(from: number, count: number, run: SlotRun): void {
      for (const [index, slot] of slots.slice(from, from + count).entries()) {
        slot.block.copy(run.blocks, index * blockBytes);
        putChecksum(slot.block, 0, blockBytes, run.checksums, index * 8);
        run.volumes[index] = slot.volume;
        run.states[index] = slot.state;
      }
    },
  };
}

/** What is read of each slot, `undefined` where it is told as damaged. */
async function readAll(
  store: MemorySegments,
  segment: number,
  slots: readonly Slot[],
): Promise<(Buffer | undefined)[]> {
  const found: (Buffer | undefined)[] = [];
  for (const [slot, { volume }] of slots.entries()) {
    const target = Buffer.alloc(blockBytes, 0xee);
    const bad = await store.reader.read({ address: addressOf(segment, slot), blockCount: 1, volume }, target, 0);
    found.push(bad.length === 0 ? target : undefined);
  }
  return found;
}

const contentOf = (slot: Slot): Buffer | undefined => (slot.state === blockState.sound ? slot.block : undefined);

test("every sound block comes back, what was damaged or never given is told as damaged", async () => {
  const store = await MemorySegments.make();
  const slots = [sound(1), sound(2), damaged, none, sound(0), sound(1), sound(3, 2), sound(0, 2), sound(4), sound(5)];
  const { counts } = await store.seal(closed(1, slots));
  expect(counts).toEqual({ slots: 10, kept: 5, forwards: 1, zeros: 2, damaged: 1, frames: 2 });
  expect(await readAll(store, 1, slots)).toEqual(slots.map(contentOf));
});

test("blocks that the store has already are not kept again, in the same segment or in another one", async () => {
  const store = await MemorySegments.make();
  const first = [sound(1), sound(2), sound(1), sound(3)];
  await store.seal(closed(1, first));
  const second = [sound(3, 2), sound(4), sound(4), sound(2)];
  const { counts } = await store.seal(closed(2, second));
  expect(counts).toMatchObject({ kept: 1, forwards: 3 });
  expect(await readAll(store, 2, second)).toEqual(second.map(contentOf));
  expect(await readAll(store, 1, first)).toEqual(first.map(contentOf));
});

test("an index that lies costs room, never bytes", async () => {
  const store = await MemorySegments.make();
  const first = [sound(1), sound(2), none, damaged, sound(1)];
  await store.seal(closed(1, first));
  const wrong = [addressOf(1, 1), addressOf(1, 2), addressOf(1, 3), addressOf(1, 4), addressOf(1, 99), addressOf(7, 0)];
  for (const [turn, address] of wrong.entries()) {
    for (const key of store.index.addresses.keys()) store.index.addresses.set(key, address);
    const again = [sound(1), sound(20 + turn)];
    const { counts } = await store.seal(closed(10 + turn, again));
    expect(counts).toMatchObject({ kept: 2, forwards: 0 });
    expect(await readAll(store, 10 + turn, again)).toEqual(again.map(contentOf));
  }
  expect(store.known.refutedCount).toBe(wrong.length);
});

test("a block of another volume than the one asked for is told as damaged", async () => {
  const store = await MemorySegments.make();
  await store.seal(closed(1, [sound(1, 1)]));
  const target = Buffer.alloc(blockBytes);
  const read = (volume: number) => store.reader.read({ address: addressOf(1, 0), blockCount: 1, volume }, target, 0);
  expect([await read(1), await read(2)]).toEqual([[], [0]]);
});

test("a spoiled frame is told for exactly its blocks, wherever they are read through", async () => {
  const store = await MemorySegments.make();
  const slots = [sound(1), sound(2), sound(3), sound(4), sound(5)];
  await store.seal(closed(1, slots));
  await store.seal(closed(2, [sound(2), sound(5)]));
  const parts = [...(store.parts.get("segments/000000000001.0000")?.parts.values() ?? [])];
  const frame = parts.find((part) => part.type === partType.frame)?.bytes as Buffer;
  frame[blockBytes + 9] = (frame[blockBytes + 9] as number) ^ 1;
  expect(await readAll(store, 1, slots)).toEqual(slots.map((slot, index) => (index === 1 ? undefined : slot.block)));
  expect(await readAll(store, 2, [sound(2), sound(5)])).toEqual([undefined, block(5)]);
});

test("runs, pages and frames may end anywhere", async () => {
  const store = await MemorySegments.make();
  const counts = [0, 1, frameBlockCountMax, sealRunBlocks - 1, sealRunBlocks + 1, slotsPerPage, slotsPerPage + 1];
  for (const [index, count] of counts.entries()) {
    const slots = Array.from({ length: count }, (_, slot) => sound(1 + index * 10_000 + slot));
    await store.seal(closed(index + 1, slots));
    const target = Buffer.alloc(count * blockBytes);
    const run = { address: addressOf(index + 1, 0), blockCount: count, volume: 1 };
    expect(await store.reader.read(run, target, 0)).toEqual([]);
    expect(target.equals(Buffer.concat(slots.map((slot) => slot.block)))).toBe(true);
  }
});

test("segments of chance come back as they were, and a forward always leads to a kept block", async () => {
  const random = new SeededRandom(5);
  const store = await MemorySegments.make();
  const all = new Map<number, Slot[]>();
  for (let segment = 1; segment <= 12; segment++) {
    const slots = Array.from({ length: random.integerBelow(700) }, () => {
      const drawn = random.integerBelow(20);
      if (drawn === 0) return none;
      if (drawn === 1) return damaged;
      return sound(random.integerBelow(600), 1 + random.integerBelow(3));
    });
    all.set(segment, slots);
    await store.seal(closed(segment, slots));
  }
  for (const [segment, slots] of all) expect(await readAll(store, segment, slots)).toEqual(slots.map(contentOf));
  for (const address of store.index.addresses.values()) {
    const directory = await store.sealed.directory(Math.floor(address / 65_536));
    const page = await directory.slots(Math.floor((address % 65_536) / slotsPerPage));
    expect(slotKindAt(page, ((address % 65_536) % slotsPerPage) * 24)).toBe(slotKind.kept);
  }
});
