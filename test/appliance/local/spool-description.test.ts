import { expect, test } from "vitest";
import { describeSpool, type SpoolItem, spoolLine } from "#src/appliance/local/spool-description.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { SpoolWorld, spoolFolder } from "./spool-world.ts";

function described(world: SpoolWorld): SpoolItem[] {
  return [...describeSpool(world.host.files, spoolFolder)];
}

test("a sound spool is told file by file, batch by batch and record by record", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([2, 0]);
  await world.sync();
  world.beginEpoch(100);
  const items = described(world);
  expect(items.map((item) => item.kind)).toEqual(["file", "batch", "record", "record", "batch", "record", "end"]);
  expect(items[2]).toEqual({
    kind: "record",
    seq: 1,
    epoch: 1,
    type: "write",
    volume: 1,
    startBlock: 1,
    blockCount: 2,
    timeMicros: 1000,
    ordinal: 1,
    isSound: true,
  });
  expect(items.map(spoolLine)).toEqual([
    "file /spool/00000001.segment, 32768 bytes, header sound, group 00112233445566778899aabbccddeeff, " +
      "incarnation 00005eed, from position 0 and record 1 on, released up to 0",
    "  batch 1-2 epoch 1 at 512, 8704 bytes, durable up to 0",
    "    1 1970-01-01T00:00:00.001000Z write volume 1 blocks 1+2 ordinal 1",
    "    2 1970-01-01T00:00:00.001000Z trim volume 1 blocks 2+7 ordinal 2",
    "  batch 100-100 epoch 2 at 9216, 512 bytes, durable up to 2",
    '    100 1970-01-01T00:00:00.100000Z epoch volume 0 ordinal 0 {"previousEpoch":1,"previousLastSeq":2}',
    "end: the log ends at /spool/00000001.segment, byte 9728, where record 101 would begin; last record 100, " +
      "known durable up to 2",
  ]);
});

test("a torn end is told as such, with what lies behind it", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 4; count++) world.append();
  const { path, offset } = world.placeOf(world.spool.positionAfter(2));
  world.host.disk.fileAt(path).flipBit(offset + 1000, 1);
  const items = described(world);
  const batches = items.flatMap((item) => (item.kind === "batch" ? [[item.firstSeq, item.isInLog, item.isSound]] : []));
  expect(batches).toEqual([
    [1, true, true],
    [2, true, true],
    [3, false, false],
    [4, false, true],
  ]);
  expect(items.filter((item) => item.kind === "record").map((item) => item.isSound)).toEqual([true, true, false, true]);
  expect(items[items.length - 1]).toMatchObject({ kind: "end", decision: "tail", lastSeq: 2, beyondRecordCount: 2 });
  expect(items.map(spoolLine)[5]).toContain("NOT SOUND, behind the end of the log");
});

test("damage is told, and nothing is changed by looking", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 3; count++) world.append();
  await world.sync();
  world.append();
  const { path, offset } = world.placeOf(world.spool.positionAfter(1));
  world.host.disk.fileAt(path).flipBit(offset + 1, 1);
  let changeCount = 0;
  world.host.disk.observer = () => {
    changeCount++;
  };
  const end = described(world).pop();
  expect(end).toMatchObject({ kind: "end", decision: "damage", lastSeq: 1, durableSeq: 3 });
  expect(changeCount).toBe(0);
});

test("files that cannot be read are told one by one, and what is no spool is refused", async () => {
  const world = new SpoolWorld();
  expect(() => described(world)).toThrow("holds no spool");
  await world.open();
  world.append();
  const { files } = world.host;
  const foreign = files.create(`${spoolFolder}/00000009.segment`);
  const header = Buffer.alloc(512);
  header.write("TMSP\x09");
  putChecksum(header, 0, 64, header, 64);
  foreign.writeNow(header, 0, header.length, 0);
  files.create(`${spoolFolder}/00000010.segment`);
  const headers = described(world).flatMap((item) => (item.kind === "file" ? [item.header] : []));
  expect(headers).toEqual(["sound", "version 9, not known", "blank"]);
  files.remove(world.paths[0] as string);
  expect(() => described(world)).toThrow("has a header that can be read");
});
