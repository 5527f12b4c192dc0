import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { describeJournal, journalLine } from "#src/journals/journal-description.ts";
import { recordType } from "#src/records/record.ts";
import { RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { wireBatch } from "./wire-batch.ts";

async function described() {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect();
  const extra = { name: "before" };
  peer.send(
    wireBatch({ firstSeq: 1 }, [
      { startBlock: 7, blockCount: 2 },
      { type: recordType.mark, blockCount: 0, extra },
    ]),
  );
  peer.send(wireBatch({ firstSeq: 3 }, [{ type: recordType.trim, startBlock: 1, blockCount: 5 }]));
  await world.durable(peer, 3);
  const items = () => [...describeJournal(world.host.files, world.folder().path)];
  return { world, items };
}

test("journals are described item by item", async () => {
  const { items } = await described();
  expect(items().map(journalLine)).toEqual([
    expect.stringMatching(/^piece .*piece, 1536 bytes, group a{32}, incarnation [0-9a-f]{8}, from record 1 on$/),
    "  batch 1-2 epoch 1 at byte 512, durable up to 0",
    "    1 1970-01-01T00:00:00.001000Z write volume 1 blocks 7+2 at 65536 ordinal 1",
    '    2 1970-01-01T00:00:00.001000Z mark volume 1 ordinal 2 {"name":"before"}',
    "  batch 3-3 epoch 1 at byte 1024, durable up to 0",
    "    3 1970-01-01T00:00:00.003000Z trim volume 1 blocks 1+5 ordinal 3",
    "segment 1, 8192 bytes of data, sums sound",
  ]);
});

test("damage is described, and what lies behind it", async () => {
  const { world, items } = await described();
  const [segment] = world.folder().segments(world.host.files) as [number];
  const [basePosition] = world.folder().pieces(world.host.files) as [number];
  world.host.disk.fileAt(world.folder().dataPath(segment)).flipBit(blockBytes, 0);
  expect(items().map(journalLine)[2]).toMatch(/ordinal 1, DAMAGED BLOCKS 8$/);
  world.host.disk.fileAt(world.folder().piecePath(basePosition)).flipBit(600, 0);
  expect(items().map(journalLine).slice(1, 3)).toEqual([
    "  NO BATCH at byte 512, 512 bytes: brokenHeads",
    "  batch 3-3 epoch 1 at byte 1024, durable up to 0",
  ]);
  world.host.disk.fileAt(world.folder().sumsPath(segment)).flipBit(30, 0);
  expect(items().map(journalLine).at(-1)).toMatch(/is damaged/);
});

test("payload that is not in the journals any more is not called damaged: it is sealed, or lost", async () => {
  const { world, items } = await described();
  world.host.files.remove(world.folder().dataPath(1));
  expect(items().map(journalLine)[2]).toMatch(/ordinal 1, DAMAGED BLOCKS 7 8$/);
  world.host.files.remove(world.folder().sumsPath(1));
  expect(items()[2]).toMatchObject({ damagedBlocks: [], absentSegment: 1 });
  expect(items().map(journalLine)[2]).toMatch(/ordinal 1, segment 1 is not here: sealed, or lost$/);
});

test("a folder without journals is refused", async () => {
  const { world } = await described();
  world.host.files.makeFolder("/empty");
  expect(() => [...describeJournal(world.host.files, "/empty")]).toThrow(
    expect.objectContaining({ name: "RefuseError" }),
  );
});

test("where journals begin later that is said first, also where nothing is left of them", async () => {
  const { world } = await described();
  const { files } = world.host;
  const start = { seq: 7, epoch: 2, timeMicros: 1 };
  const lines = (path: string) => [...describeJournal(files, path, start)].map(journalLine);
  const words = "the records up to 7, of epoch 2, are in the store alone";
  expect(lines(world.folder().path).slice(0, 2)).toEqual([words, expect.stringMatching(/^piece /)]);
  world.folder().makeNow(files);
  for (const basePosition of world.folder().pieces(files)) files.remove(world.folder().piecePath(basePosition));
  expect(lines(world.folder().path)).toEqual([words]);
});
