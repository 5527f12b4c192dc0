/** The tests' own readers of journals, over bytes that the product's writers made. */
import fs from "node:fs";
import { mkdir } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { recordType } from "#src/records/record.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/clients/harness.ts";
import { writeRange } from "#test/clients/image.ts";
import { putStamp, stampedBytes } from "./block-stamp.ts";
import { JournalReplay } from "./journal-replay.ts";
import { readLogs } from "./log-records.ts";
import { differences, differencesOfRest, strangers } from "./source-comparison.ts";
import { type WrittenBatch, type WrittenRecord, writeRemote, writeSpool } from "./written-journals.ts";

const name = { id: "f".repeat(32), name: "first", sizeBytes: 16 * stampedBytes };
const write = (startBlock: number, blockCount = 1) => ({ type: recordType.write, startBlock, blockCount });

const batches: readonly WrittenBatch[] = [
  { epoch: 1, firstSeq: 1, durableSeq: 0, records: [{ type: recordType.volume, extra: name }, write(0, 3)] },
  {
    epoch: 1,
    firstSeq: 3,
    durableSeq: 2,
    records: [write(1), { type: recordType.trim, startBlock: 2, blockCount: 4 }],
  },
  {
    epoch: 2,
    firstSeq: 100,
    durableSeq: 4,
    records: [{ type: recordType.epoch, extra: { previousEpoch: 1, previousLastSeq: 4 } }, write(9)],
  },
];

/** Which write each block comes from; 0 for zeros. */
const content = [2, 3, 0, 0, 0, 0, 0, 0, 0, 101, 0, 0, 0, 0, 0, 0];

interface Written {
  readonly folder: TemporaryFolder;
  readonly local: string;
  readonly remote: string;
  readonly spool: string;
  readonly starts: readonly number[];
}

async function written(spooled = batches, shipped = batches): Promise<Written> {
  const folder = await temporaryFolder();
  const [local, remote] = [folder.file("local"), folder.file("remote")];
  await mkdir(local);
  await mkdir(remote);
  const spool = `${local}/segment`;
  const starts = writeSpool(spool, spooled);
  writeRemote(remote, shipped);
  return { folder, local, remote, spool, starts };
}

function replayed(folders: { local?: string; remote?: string }): JournalReplay {
  const replay = new JournalReplay(folders);
  onTestFinished(() => replay[Symbol.dispose]());
  return replay;
}

function source(folder: TemporaryFolder): string {
  const bytes = Buffer.alloc(content.length * stampedBytes);
  for (const [block, number] of content.entries()) {
    if (number > 0) putStamp(bytes, block * stampedBytes, { volume: 1, block, number });
  }
  fs.writeFileSync(folder.file("source"), bytes);
  return folder.file("source");
}

test("a source that holds what spool or remote or both say does not differ", async () => {
  const { folder, local, remote } = await written();
  const path = source(folder);
  for (const folders of [{ local }, { remote }, { local, remote }]) {
    const replay = replayed(folders);
    expect(differences(path, replay, replay.volumeNumber("first"))).toEqual([]);
    expect(replay.records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 100, 101]);
  }
});

test("a block of the source that is not as the journal says is named", async () => {
  const { folder, remote } = await written();
  const path = source(folder);
  await writeRange(path, 9 * stampedBytes + 5, Buffer.from("!"));
  await writeRange(path, 15 * stampedBytes, Buffer.from("!"));
  expect(differences(path, replayed({ remote }), 1)).toEqual([
    "block 9 is not what seq 101 wrote",
    "block 15 is not what it began as",
  ]);
});

test("where the first records have gone, the blocks of those that are left are compared", async () => {
  const folder = await temporaryFolder();
  const [local, source] = [folder.file("local"), folder.file("source")];
  await mkdir(local);
  writeSpool(`${local}/segment`, batches.slice(1), 2);
  fs.writeFileSync(source, Buffer.alloc(content.length * stampedBytes, 7));
  const rest = replayed({ local });
  const wrong = ["block 1 is not what seq 3 wrote", "block 2 is not what seq 4 wrote"];
  expect(differencesOfRest(source, rest, 1)).toEqual(expect.arrayContaining(wrong));
  for (const [block, number] of content.entries()) {
    const bytes = Buffer.alloc(stampedBytes);
    if (number > 0) putStamp(bytes, 0, { volume: 1, block, number });
    await writeRange(source, block * stampedBytes, bytes);
  }
  await writeRange(source, 0, Buffer.alloc(stampedBytes, 7));
  expect(differencesOfRest(source, rest, 1)).toEqual([]);
});

test("the spool goes on where the remote ends", async () => {
  const { folder, local, remote } = await written(batches, batches.slice(0, 2));
  const replay = replayed({ local, remote });
  expect([replay.remoteLastSeq, replay.spoolLastSeq]).toEqual([4, 101]);
  expect(differences(source(folder), replay, 1)).toEqual([]);
});

test("a hole between remote and spool is found", async () => {
  const { local, remote, spool } = await written(batches, batches.slice(0, 1));
  expect(() => replayed({ local, remote })).not.toThrow();
  writeSpool(spool, [{ epoch: 1, firstSeq: 5, durableSeq: 4, records: [write(9)] }], 4);
  expect(() => replayed({ local, remote })).toThrow("the remote ends at 2, the spool goes on at 5");
});

test("copies that disagree are found", async () => {
  const [first, second] = batches as [WrittenBatch, WrittenBatch];
  const other = { ...second, records: [write(7), ...second.records.slice(1)] };
  const { local, remote } = await written([first, second], [first, other]);
  expect(() => replayed({ local, remote })).toThrow(/seq 3: startBlock is 1 in the spool, 7 at the remote/);
});

/** Changes the payload, or the heads, of one of the batches. */
async function torn(index: number, spooled = batches): Promise<() => number | undefined> {
  const { local, spool, starts } = await written(spooled);
  await writeRange(spool, (starts[index] as number) + 70, Buffer.from("torn"));
  return () => readLogs(local, "spool")[0]?.lastSeq;
}

test("a batch that is torn ends the spool", async () => {
  expect((await torn(2))()).toBe(4);
  expect((await torn(1, batches.slice(0, 2)))()).toBe(2);
});

test("a batch that is torn, and durable as a later one says, is damage", async () => {
  expect(await torn(1)).toThrow(/ends at 2, and says that 4 was durable/);
  expect(await torn(0)).toThrow(/ends at 0, and says that 4 was durable/);
});

test("a block of a data segment that was changed is found when it is read", async () => {
  const { folder, remote } = await written();
  const path = source(folder);
  await writeRange(`${remote}/3.data`, 100, Buffer.from("!"));
  expect(() => differences(path, replayed({ remote }), 1)).toThrow(/slot 0 of segment 3/);
});

test("a prefix of the order is what the volume held then", async () => {
  const { remote } = await written();
  const early = replayed({ remote }).contentOf(1, 2);
  expect([...early].map(([block, { record }]) => [block, record.seq])).toEqual([
    [0, 2],
    [1, 2],
    [2, 2],
  ]);
});

test("a source may lag behind its journal, but has nothing that the journal does not", async () => {
  const { folder, local } = await written();
  const path = source(folder);
  const old = Buffer.alloc(stampedBytes);
  putStamp(old, 0, { volume: 1, block: 1, number: 2 });
  await writeRange(path, stampedBytes, old);
  await writeRange(path, 9 * stampedBytes, Buffer.alloc(stampedBytes));
  const replay = replayed({ local });
  expect(differences(path, replay, 1)).toHaveLength(2);
  expect(strangers(path, replay, 1)).toEqual([]);
  putStamp(old, 0, { volume: 1, block: 1, number: 102 });
  await writeRange(path, stampedBytes, old);
  expect(strangers(path, replay, 1)).toEqual(["block 1 is not what seq 3 wrote"]);
});

test("the tests' writes at the remote are found in its order", async () => {
  const { remote } = await written();
  expect(replayed({ remote }).remoteNumbers(1)).toEqual([2, 3, 101]);
});

/** The records 2 to 4 and 101 as the remote may have them: folded. */
const [begin, , epoch] = batches as [WrittenBatch, WrittenBatch, WrittenBatch];
const folded: readonly WrittenBatch[] = [
  { ...begin, records: begin.records.slice(0, 1) },
  {
    ...{ epoch: 1, firstSeq: 2, lastSeq: 4, durableSeq: 1 },
    records: [
      { type: recordType.trim, startBlock: 2, blockCount: 4 },
      { ...write(0), number: 2 },
      { ...write(1), number: 3 },
    ],
  },
  epoch,
];
const trim = { type: recordType.trim, startBlock: 2, blockCount: 4 };
const single: readonly WrittenBatch[] = [
  { ...begin, records: begin.records.slice(0, 1) },
  { epoch: 1, firstSeq: 2, durableSeq: 0, records: [write(0, 3), write(1), trim] },
  epoch,
];

test("an aggregate is what its records make, with and without them in the spool", async () => {
  const { folder, local, remote } = await written(single, folded);
  const path = source(folder);
  for (const folders of [{ remote }, { local, remote }]) {
    const replay = replayed(folders);
    expect(differences(path, replay, 1)).toEqual([]);
    expect(replay.records.map(({ seq }) => seq)).toEqual([1, 4, 4, 4, 4, 100, 101]);
  }
  expect([...replayed({ remote }).contentOf(1, 3)]).toEqual([]);
});

test("an aggregate that is not what the spool's records make is found", async () => {
  const [first, aggregate, last] = folded as [WrittenBatch, WrittenBatch, WrittenBatch];
  const [range, one, other] = aggregate.records as [WrittenRecord, WrittenRecord, WrittenRecord];
  for (const [records, complaint] of [
    [[range, one, { ...other, number: 2 }], /block 1 of volume 1 is not as seq 3 left it/],
    [[range, one], /5 blocks instead of 6/],
    [[range, one, other, { ...write(9), number: 3 }], /7 blocks instead of 6/],
    [[{ ...range, startBlock: 3 }, one, other], /nothing for block 2 of volume 1, which seq 4 changed/],
  ] as const) {
    const { local, remote } = await written(single, [first, { ...aggregate, records }, last]);
    expect(() => replayed({ local, remote })).toThrow(complaint);
  }
});

test("a source may hold what is folded away, as long as the spool has it", async () => {
  const { folder, local, remote } = await written(single, folded);
  const path = source(folder);
  const old = Buffer.alloc(stampedBytes);
  putStamp(old, 0, { volume: 1, block: 1, number: 2 });
  await writeRange(path, stampedBytes, old);
  expect(strangers(path, replayed({ local, remote }), 1)).toEqual([]);
  expect(strangers(path, replayed({ remote }), 1)).toEqual(["block 1 is not what seq 4 wrote"]);
});

test("an aggregate without a payload that was not durable is not there", async () => {
  const { remote } = await written(single, folded.slice(0, 2));
  await writeRange(`${remote}/3.data`, 100, Buffer.from("!"));
  expect(replayed({ remote }).records.map(({ seq }) => seq)).toEqual([1]);
});

/** A volume of 16 blocks that is cut to 4, and grows to 12. */
const resized: readonly WrittenBatch[] = [
  ...batches.slice(0, 2),
  { epoch: 1, firstSeq: 5, durableSeq: 4, records: [write(9, 2)] },
  { epoch: 1, firstSeq: 6, durableSeq: 5, records: [resizeTo(4)] },
  { epoch: 1, firstSeq: 7, durableSeq: 6, records: [resizeTo(12), write(10)] },
];

function resizeTo(blocks: number): WrittenRecord {
  return { type: recordType.resize, extra: { sizeBytes: blocks * stampedBytes, previousBytes: 0 } };
}

test("every point has the size that the volume had there, and what was cut off stays zeros when it grows again", async () => {
  const { local, remote } = await written(resized, resized);
  for (const folders of [{ local }, { remote }, { local, remote }]) {
    const replay = replayed(folders);
    const sizes = [5, 6, 7].map((seq) => (replay.sizeOf(1, seq) ?? 0) / stampedBytes);
    expect(sizes).toEqual([16, 4, 12]);
    const blocks = [5, 6, 7, 8].map((seq) => [...replay.contentOf(1, seq).keys()].filter((block) => block >= 4));
    expect(blocks).toEqual([[4, 5, 9, 10], [], [], [10]]);
  }
});

test("a record that reaches beyond what the volume had then is found", async () => {
  const { local } = await written([...resized, { epoch: 1, firstSeq: 9, durableSeq: 8, records: [write(11, 2)] }], []);
  expect(() => replayed({ local }).contentOf(1)).toThrow("seq 9: it reaches beyond the volume, which has 12 blocks");
});

test("a source of another size than the journal says differs", async () => {
  const { folder, local } = await written();
  const path = source(folder);
  fs.truncateSync(path, 17 * stampedBytes);
  const sizes = `${17 * stampedBytes} bytes, and should have ${16 * stampedBytes}`;
  expect(differences(path, replayed({ local }), 1)).toEqual([`it has ${sizes}`]);
});
