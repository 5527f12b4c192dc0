/** What the store has lost, and the spool of a local appliance still has. */

import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { recallBlocksMax, scrubRecallMax } from "#src/core/recall-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { UnitWalk } from "#src/journals/piece-sealer.ts";
import { type LostWrite, LostWrites, questionsOf, type Recall, RecalledCopies } from "#src/journals/recalled-copies.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { frameAt, slotEntryBytes } from "#src/store/slot-page.ts";
import type { RecalledBlocks, WantedBlock } from "#src/wire/group-link.ts";
import { FreeWork } from "#test/store/free-work.ts";
import {
  blockOf,
  ContentSegment,
  ScrubWorld,
  scrubGroup,
  unitOf,
  unreadableSlots,
  type Written,
  writes,
} from "./scrub-world.ts";

const name = (segment: number, generation = 0) => segmentObjectName({ segment, generation });
const origin = { group: scrubGroup, level: 0 };

/** Two bits of the frame that holds the slot. */
async function damageFrame(world: ScrubWorld, segment: number, slot: number): Promise<void> {
  const { key } = await world.opened();
  const file = await SegmentFile.open(world.store, { segment, generation: 0 }, key);
  const place = file.pages[0]?.slots as { readonly offset: number; readonly storedBytes: number };
  const page = await file.readPart({ ...place, type: 2, number: 0 });
  const { offset } = frameAt(page, slot * slotEntryBytes);
  for (const bit of [5, 77]) world.store.flip(name(segment), (offset + 32) * 8 + bit);
}

/** A local appliance whose spool has the records from this one on. */
function spoolFrom(firstSeq: number, records: readonly Written[] = writes) {
  const asked: WantedBlock[][] = [];
  const recall: Recall = async (group, wanted) => {
    expect(group).toBe(scrubGroup);
    asked.push([...wanted]);
    return wanted.map(({ seq, volume, block }) => {
      const record = records.find((one) => one.seq === seq && one.volume === volume && seq >= firstSeq);
      const content = record?.contents[block - record.startBlock];
      return content === undefined ? undefined : blockOf(content);
    });
  };
  return { recall, asked };
}

test.each([false, true])(
  "what no other segment has comes back from the spool, and the report names it (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    await damageFrame(world, 1, 1);
    const { recall, asked } = spoolFrom(1);
    const { state } = await world.scrubbed({ recall });
    expect(await unreadableSlots(await world.read())).toEqual(new Set());
    expect(state).toMatchObject({ findings: [], damagedBlocks: 0, recalledCount: 4, flawCount: 4 });
    expect(state.repairs).toEqual([
      `${name(1)}: blocks (4) were lost, and came back from the spool of a local appliance`,
    ]);
    // Each once, with those of which only a forward led there; the newest first.
    expect(asked).toHaveLength(1);
    expect(asked[0]?.map(({ seq, volume, block }) => [seq, volume, block])).toEqual([
      [5, 1, 0],
      [3, 1, 4],
      [2, 2, 9],
      [1, 1, 0],
      [1, 1, 1],
      [1, 1, 2],
      [1, 1, 3],
    ]);
    expect([...world.store.bytes.keys()].filter((key) => key.startsWith("segments/"))).toEqual([
      name(2),
      name(3),
      name(1, 1),
    ]);
  },
);

test("a spool that has less gives less, and the rest is told as it was", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const without = await world.copy().scrubbed();
  const scrub = await world.scrubbed({ recall: spoolFrom(3).recall });
  // Blocks of later records, that were sealed as forwards to what was lost.
  expect(await unreadableSlots(await world.read())).toEqual(new Set(["1/0", "1/3", "1/7"]));
  expect(scrub.state.recalledCount).toBe(2);
  expect(scrub.state.findings[0]).toMatchObject({ object: name(1, 1), thing: "sealed", count: 2 });
  const [first] = without.state.findings[0]?.affected ?? [];
  expect(scrub.state.findings[0]?.affected).toContainEqual(first);
});

test("a spool that has nothing of it is asked once, and all is told as without it", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const without = await world.copy().scrubbed();
  const { recall, asked } = spoolFrom(7);
  const scrub = await world.scrubbed({ recall });
  expect(asked).toHaveLength(1);
  expect(scrub.state).toMatchObject({ repairs: [], recalledCount: 0, repairedCount: 0 });
  const told = ({ state }: typeof scrub) => state.findings.map(({ foundMicros: _, ...finding }) => finding);
  expect(told(scrub)).toEqual(told(without));
});

test.each<[string, (block: Buffer) => Buffer]>([
  ["with a turned bit", (block) => Buffer.from(block).fill((block[9] as number) ^ 1, 9, 10)],
  ["of another record", () => blockOf(99)],
  ["that is too short", (block) => block.subarray(0, 512)],
])("what comes back %s is not taken", async (_, spoil) => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const { recall: sound } = spoolFrom(1);
  const recall: Recall = async (group, wanted) =>
    (await sound(group, wanted)).map((block) => block && spoil(block)) as RecalledBlocks;
  const scrub = await world.scrubbed({ recall });
  expect(scrub.state).toMatchObject({ repairs: [], recalledCount: 0, repairedCount: 0, damagedBlocks: 7 });
  expect([...world.store.bytes.keys()]).toContain(name(1));
});

test("what a read has met is repaired from the spool without waiting for a round", async () => {
  const world = await ScrubWorld.make(false);
  await damageFrame(world, 1, 1);
  const scrub = await world.scrub({ recall: spoolFrom(1).recall });
  scrub.suspect(1);
  await scrub.checkSuspects(new FreeWork());
  expect(scrub.state).toMatchObject({ findings: [], recalledCount: 4 });
});

const written: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [21, 22, 23] };

/** The open journal of all records, of which those from 7 on are not sealed. */
function openJournal(records: readonly Written[]): UnitWalk {
  const units = records.map(unitOf);
  const places = { offset: 0, nextOffset: 0, durableSeq: 0, epoch: 1 };
  return {
    expectedSeq: 1,
    next: () => {
      const unit = units.shift();
      if (unit === undefined) return { finding: "nothing", basePosition: 0, offset: 0 };
      return { ...unit, ...places, finding: "sound", lastSeq: unit.firstSeq };
    },
    close: () => {},
  };
}

test("blocks that were damaged when their segment was sealed come back before their records are sealed", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const { recall, asked } = spoolFrom(7, [written]);
  const walkFrom = () => openJournal([...writes, written]);
  const scrub = await world.scrub({ ...opened, recall, walkFrom });
  await opened.store.seal(new ContentSegment(4, [written], [1]), origin);
  expect(scrub.hasSuspects).toBe(false);
  scrub.sealedDamaged(4, scrubGroup);
  expect(scrub.hasSuspects).toBe(true);
  await scrub.checkSuspects(new FreeWork());
  expect(scrub.hasSuspects).toBe(false);
  expect(asked).toEqual([[{ seq: 7, volume: 1, block: 51 }]]);
  expect(scrub.state).toMatchObject({ findings: [], recalledCount: 1, repairedCount: 1 });
  expect((await opened.store.segments.directory(4)).counts).toMatchObject({ kept: 3, damaged: 0 });
});

test("what a crash left half written is not asked for, nor told", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const { recall, asked } = spoolFrom(1);
  const scrub = await world.scrub({ ...opened, recall, walkFrom: () => openJournal(writes) });
  await opened.store.seal(new ContentSegment(4, [written], [1]), origin);
  scrub.sealedDamaged(4, scrubGroup);
  await scrub.checkSuspects(new FreeWork());
  expect(asked).toEqual([]);
  expect(scrub.state).toMatchObject({ findings: [], damagedBlocks: 0 });
});

test("what was damaged when it was sealed, and nobody has any more, is told at once", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const walkFrom = () => openJournal([...writes, written]);
  const scrub = await world.scrub({ ...opened, recall: spoolFrom(8).recall, walkFrom });
  await opened.store.seal(new ContentSegment(4, [written], [1]), origin);
  scrub.sealedDamaged(4, scrubGroup);
  await scrub.checkSuspects(new FreeWork());
  expect(scrub.state.findings).toMatchObject([{ object: name(4), thing: "sealed", slots: [{ slot: 1, count: 1 }] }]);
});

test("a piece of the open journal that goes while it is read ends no scrub", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const gone = Object.assign(new Error("there is no such file"), { code: "ENOENT" });
  const walk = openJournal([...writes, written]);
  let closedCount = 0;
  const walkFrom = (): UnitWalk => ({
    expectedSeq: 1,
    next: () => {
      throw gone;
    },
    close: () => {
      closedCount++;
      walk.close();
    },
  });
  const scrub = await world.scrub({ ...opened, recall: spoolFrom(1).recall, walkFrom });
  await opened.store.seal(new ContentSegment(4, [written], [1]), origin);
  scrub.sealedDamaged(4, scrubGroup);
  await scrub.checkSuspects(new FreeWork());
  expect(closedCount).toBe(1);
  expect(scrub.hasSuspects).toBe(false);
  expect((await scrub.run(new FreeWork(), { isAnew: true })).findings).toMatchObject([{ object: name(4) }]);
});

const lost = (seq: number, block = 0, group = "a"): LostWrite => ({ group, seq, volume: 1, block });

test("of each group the newest is asked for first, and nothing twice", () => {
  const questions = questionsOf([lost(3), lost(9, 1), lost(4, 0, "b"), lost(9, 2), lost(3), lost(9, 1)]);
  expect([...questions].map(([group, wanted]) => [group, wanted.map(({ seq, block }) => [seq, block])])).toEqual([
    [
      "a",
      [
        [9, 1],
        [9, 2],
        [3, 0],
      ],
    ],
    ["b", [[4, 0]]],
  ]);
});

test("of very many lost blocks the last ones are kept in mind", () => {
  const writes = new LostWrites();
  for (let seq = 1; seq <= 5 * scrubRecallMax; seq++) writes.add(lost(seq));
  expect(writes.list.map(({ seq }) => seq)).toEqual(
    Array.from({ length: scrubRecallMax }, (_, index) => 4 * scrubRecallMax + 1 + index),
  );
});

test("a group that has lost very much leaves room for what others have lost", () => {
  const writes = new LostWrites();
  for (let seq = 1; seq <= 3; seq++) writes.add(lost(seq, 0, "quiet"));
  for (const group of ["b", "c"]) for (let seq = 1; seq <= 5 * scrubRecallMax; seq++) writes.add(lost(seq, 0, group));
  const { list } = writes;
  expect(list.filter(({ group }) => group === "quiet").map(({ seq }) => seq)).toEqual([1, 2, 3]);
  for (const group of ["b", "c"]) {
    const seqs = list.filter((write) => write.group === group).map(({ seq }) => seq);
    expect(seqs.at(-1)).toBe(5 * scrubRecallMax);
    expect(seqs.length).toBeGreaterThanOrEqual(Math.floor(scrubRecallMax / 3));
  }
  expect(list.length).toBeLessThanOrEqual(scrubRecallMax);
});

test("questions are short, one comes after the other, and behind one of which nothing is there none does", async () => {
  const asked: number[] = [];
  let isUnderWay = false;
  const copies = new RecalledCopies(async (_, wanted) => {
    expect(isUnderWay).toBe(false);
    expect(wanted.length).toBeLessThanOrEqual(recallBlocksMax);
    isUnderWay = true;
    asked.push(...wanted.map(({ seq }) => seq));
    await Promise.resolve();
    isUnderWay = false;
    return wanted.map(({ seq }) => (seq > 80 ? Buffer.alloc(blockBytes, seq) : undefined));
  });
  const all = Array.from({ length: 100 }, (_, index) => lost(index + 1));
  expect(await copies.gather(all, new FreeWork())).toBe(true);
  expect(asked).toEqual(Array.from({ length: 3 * recallBlocksMax }, (_, index) => 100 - index));
  const checksum = Buffer.alloc(checksumBytes);
  putChecksum(Buffer.alloc(blockBytes, 90), 0, blockBytes, checksum, 0);
  const target = Buffer.alloc(blockBytes);
  const lostBlock = { address: 70_000, volume: 1, checksum };
  expect(await copies.read(lostBlock, target)).toBe(true);
  expect(target).toEqual(Buffer.alloc(blockBytes, 90));
  expect([copies.takeUsed(), copies.takeUsed()]).toEqual([1, 0]);
  copies.forget();
  expect(await copies.read(lostBlock, target)).toBe(false);
});
