/** What more than one bit has damaged: named, kept apart, and repaired from second copies. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { addressOf } from "#src/records/address.ts";
import type { LiveBlocks } from "#src/store/live-blocks.ts";
import { findingLine } from "#src/store/scrub-finding.ts";
import type { SecondCopies } from "#src/store/second-copies.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { frameAt, slotEntryBytes } from "#src/store/slot-page.ts";
import { FreeWork } from "#test/store/free-work.ts";
import {
  blockOf,
  ContentSegment,
  ScrubWorld,
  scrubGroup,
  startMicros,
  unreadableSlots,
  type Written,
} from "./scrub-world.ts";

const name = (segment: number, generation = 0) => segmentObjectName({ segment, generation });
const origin = { group: scrubGroup, level: 0 };
const secondMicros = 1_000_000;

/** Two bits of the frame that holds the slot. */
async function damageFrame(world: ScrubWorld, segment: number, slot: number): Promise<void> {
  const { key } = await world.opened();
  const file = await SegmentFile.open(world.store, { segment, generation: 0 }, key);
  const page = await file.readPart({
    ...(file.pages[0]?.slots as { offset: number; storedBytes: number }),
    type: 2,
    number: 0,
  });
  const { offset } = frameAt(page, slot * slotEntryBytes);
  for (const bit of [5, 77]) world.store.flip(name(segment), (offset + 32) * 8 + bit);
}

test.each([false, true])(
  "a damaged frame is named by its slots, and by all who need them at which points (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    await damageFrame(world, 1, 1);
    expect(await unreadableSlots(await world.read())).toEqual(
      new Set(["1/0", "1/1", "1/2", "1/3", "1/7", "2/1", "3/0"]),
    );
    const { findings, damagedBlocks } = (await world.scrubbed()).state;
    expect(findings.map(({ object, thing, slots }) => ({ object, thing, slots }))).toEqual([
      { object: name(1), thing: "frames", slots: [{ slot: 0, count: 4 }] },
      { object: name(1), thing: "forwards", slots: [{ slot: 7, count: 1 }] },
      { object: name(2), thing: "forwards", slots: [{ slot: 1, count: 1 }] },
      { object: name(3), thing: "forwards", slots: [{ slot: 0, count: 1 }] },
    ]);
    expect(damagedBlocks).toBe(7);
    const seen = (fromSeq: number, untilSeq?: number) => {
      const at = (seq: number) => startMicros + seq * secondMicros;
      const until = untilSeq === undefined ? {} : { untilSeq, untilMicros: at(untilSeq) };
      return { group: scrubGroup, fromSeq, fromMicros: at(fromSeq), ...until };
    };
    expect(findings[0]?.affected).toEqual([
      { volume: 1, startBlock: 3, blockCount: 1, ...seen(1, 3) },
      { volume: 2, startBlock: 9, blockCount: 1, ...seen(2, 4) },
      { volume: 1, startBlock: 0, blockCount: 2, ...seen(1, 5) },
      { volume: 1, startBlock: 2, blockCount: 1, ...seen(1) },
      { volume: 1, startBlock: 4, blockCount: 1, ...seen(3) },
      { volume: 1, startBlock: 0, blockCount: 1, ...seen(5) },
    ]);
    expect(findingLine(findings[1] as never)).toBe(
      `${name(1)}: forwards: one leads to a damaged block, slot 0 of segment 1; slots 7; cannot be read: volume 2 of group ` +
        `${scrubGroup} blocks 9+1 from 2 (2023-11-14T22:13:22.000Z) to before 4 (2023-11-14T22:13:24.000Z); not repaired: ` +
        "what they lead to has to be repaired first",
    );
    const lines = findings.map((finding) => findingLine(finding));
    expect(lines[0]).toMatch(/where the source still has it: tidemark volume resync NAME, and then tidemark scrub$/);
  },
);

test("what is known of damage is known after a start too, and nothing new points there", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  await world.scrubbed();
  const opened = await world.opened();
  await world.scrub(opened);
  const again: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [2, 5, 1] };
  await opened.store.seal(new ContentSegment(4, [again]), origin);
  expect((await opened.store.segments.directory(4)).counts).toMatchObject({ kept: 2, forwards: 1 });
});

test.each([false, true])(
  "what was written again later is what a damaged block is repaired from (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    await damageFrame(world, 1, 1);
    const opened = await world.opened();
    const published: unknown[] = [];
    const scrub = await world.scrub({ ...opened, published: (identity) => published.push(identity) });
    await scrub.run(new FreeWork(), { isAnew: true });
    const later: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [2, 4] };
    await opened.store.seal(new ContentSegment(4, [later]), origin);
    await scrub.run(new FreeWork(), { isAnew: true });
    expect(await unreadableSlots(await world.read())).toEqual(new Set(["1/0", "1/2", "1/7", "3/0"]));
    expect(scrub.state.findings[0]).toMatchObject({
      object: name(1, 1),
      thing: "sealed",
      finding: "they were lost, when they were sealed or in the store",
      slots: [
        { slot: 0, count: 1 },
        { slot: 2, count: 1 },
      ],
    });
    // The rest of it is remembered by its fingerprint, though the new generation does not have that any more.
    const last: Written = { seq: 8, volume: 1, startBlock: 60, segment: 5, slot: 0, contents: [3, 1] };
    await opened.store.seal(new ContentSegment(5, [last]), origin);
    await scrub.run(new FreeWork(), { isAnew: true });
    expect(scrub.state).toMatchObject({ findings: [], damagedBlocks: 0, repairedCount: 2 });
    expect(await unreadableSlots(await world.read())).toEqual(new Set());
    expect(published).toEqual([
      { segment: 1, generation: 1 },
      { segment: 1, generation: 2 },
    ]);
    expect([...world.store.bytes.keys()].filter((key) => key.startsWith("segments/"))).toEqual(
      [2, 3, 4, 5].map((number) => name(number)).concat(name(1, 2)),
    );
  },
);

test("a copy that the index does not know is found on the way", async () => {
  const world = await ScrubWorld.make(false);
  world.index.addresses.clear();
  const opened = await world.opened();
  const twin: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [1, 2, 3, 4] };
  await opened.store.seal(new ContentSegment(4, [twin]), origin);
  world.index.addresses.clear();
  await damageFrame(world, 1, 1);
  const scrub = await world.scrubbed();
  expect(scrub.state.findings).toEqual([]);
  expect(await unreadableSlots(await world.read())).toEqual(new Set());
});

test("blocks that were damaged when they were sealed count, and come back from a site before", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const written: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [21, 22, 23] };
  await opened.store.seal(new ContentSegment(4, [written], [1]), origin);
  const scrub = await world.scrubbed();
  expect(scrub.state.findings).toMatchObject([{ object: name(4), thing: "sealed", slots: [{ slot: 1, count: 1 }] }]);
  expect(scrub.state.findings[0]?.finding).toBe("they were not what had been written when they were sealed");
  expect(scrub.state.damagedBlocks).toBe(1);
  const asked: unknown[] = [];
  const copies: SecondCopies = {
    read: async ({ address, volume }, target) => {
      asked.push({ address, volume });
      blockOf(22).copy(target);
      return true;
    },
  };
  const mended = await world.scrubbed({ copies });
  expect(mended.state.findings).toEqual([]);
  expect(asked[0]).toEqual({ address: addressOf(4, 1), volume: 1 });
  const { reader } = await world.read();
  const target = Buffer.alloc(blockBytes);
  expect(await reader.read({ address: addressOf(4, 1), blockCount: 1, volume: 1 }, target, 0)).toEqual([]);
  expect(target.equals(blockOf(22))).toBe(true);
});

test("a wrong copy is not taken", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const copies: SecondCopies = { read: async (_lost, target) => blockOf(99).copy(target) > 0 };
  const before = world.store.copy();
  const scrub = await world.scrubbed({ copies });
  expect(scrub.state.findings[0]).toMatchObject({ object: name(1), thing: "frames" });
  world.store.bytes.delete("scrub.json");
  expect(world.store.bytes).toEqual(before.bytes);
});

test("who had a damaged segment open reads it when it is repaired", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const reading = await world.read();
  expect((await unreadableSlots(reading)).size).toBe(7);
  const opened = await world.opened();
  await world.scrubbed(opened);
  const later: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [1, 2, 3, 4] };
  await opened.store.seal(new ContentSegment(4, [later]), origin);
  await world.scrubbed(opened);
  // The one that was damaged is still there for those who have it open, as a file is that was removed.
  world.store.bytes.set(name(1), Buffer.from(world.store.removed.get(name(1)) as Buffer));
  expect(await unreadableSlots(reading)).toEqual(new Set());
});

test("a forward that leads to nothing is damage only where a point needs it", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  await rewriteSegment(
    opened,
    { segment: 1, generation: 0 },
    1,
    { isDropped: (slot) => slot === 1, ifUnreadable: "refuse" },
    new FreeWork(),
  );
  world.store.bytes.delete(name(1));
  const needing = (slots: readonly number[]): LiveBlocks => ({
    markLive: async (marks) => {
      for (const slot of slots) marks.mark(addressOf(2, slot), 1);
      return new Set([1, 2, 3]);
    },
  });
  const oldestSeq = async () => 7;
  expect((await world.scrubbed({ live: needing([0, 2]), oldestSeq })).state.findings).toEqual([]);
  expect((await world.scrubbed({ live: needing([1]), oldestSeq })).state.findings).toMatchObject([
    {
      object: name(2),
      thing: "forwards",
      finding: "one leads to slot 1 of segment 1, which keeps nothing",
      slots: [{ slot: 1, count: 1 }],
    },
  ]);
  expect((await world.scrubbed({ oldestSeq })).state.findings).toHaveLength(1);
  expect((await world.scrubbed({ live: needing([]), oldestSeq })).state.findings).toEqual([]);
});
