import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Spool } from "#src/appliance/local/spool.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { KiB } from "#src/core/limits.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { type BatchHeader, batchMagic, batchSpanBytes, getBatchHeader, lastSeqOf } from "#src/records/batch.ts";
import { range, SpoolWorld, smallSpool, spoolFolder } from "./spool-world.ts";

test("what was appended comes back in order, each record as it was", async () => {
  const world = new SpoolWorld(1, { limitBytes: 64 * 32 * KiB });
  await world.open();
  for (let count = 0; count < 30; count++) world.append([1, 0, 2]);
  expect(await world.read()).toEqual(range(1, 90));
  expect(await world.read(47)).toEqual(range(48, 90));
  expect([world.spool.firstSeq, world.spool.lastSeq, world.spool.lastEpoch]).toEqual([1, 90, 1]);
});

test("a process that was killed finds everything that it had written", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 30; count++) world.append();
  world.host.kill();
  await world.open();
  expect([world.spool.lastSeq, world.spool.durableSeq, world.spool.lastTimeMicros]).toEqual([30, 30, 30_000]);
  expect(await world.read()).toEqual(range(1, 30));
  world.append();
  expect(await world.read()).toEqual(range(1, 31));
});

test("what follows a record is found behind a jump, too, also after a start", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 3; count++) world.append();
  world.beginEpoch(100);
  world.append();
  const positions = () => range(0, 101).map((seq) => world.spool.positionAfter(seq));
  const before = positions();
  expect(before[3]).toBe(before[99]);
  expect(before[2]).toBeLessThan(before[3] as number);
  world.host.kill();
  await world.open();
  expect(positions()).toEqual(before);
});

test("a sync promises what was appended before it, not what came after", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append();
  const synced = world.sync();
  world.append();
  await synced;
  expect([world.spool.durableSeq, world.spool.lastSeq]).toEqual([1, 2]);
  await world.sync();
  expect(world.spool.durableSeq).toBe(2);
});

test("files whose records were released are used again", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 200; count++) {
    const lastSeq = world.append([1, 1]);
    await world.sync();
    world.release(lastSeq);
  }
  expect(world.paths.length).toBeLessThanOrEqual(3);
  expect(world.spool.endPosition).toBeGreaterThan(40 * 32 * KiB);
  const { firstSeq, lastSeq } = world.spool;
  expect(firstSeq).toBeGreaterThan(390);
  expect(await world.read()).toEqual(range(firstSeq, lastSeq));
  world.host.cutPower();
  await world.open();
  expect(world.spool.firstSeq).toBeLessThanOrEqual(firstSeq);
  expect(world.spool.lastSeq).toBe(lastSeq);
  expect(await world.read()).toEqual(range(world.spool.firstSeq, lastSeq));
});

test("a file with one record that was not released is kept whole", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 20; count++) world.append();
  await world.sync();
  world.release(6);
  expect(world.spool.firstSeq).toBe(1);
  world.release(7);
  expect(world.spool.firstSeq).toBe(8);
  expect(await world.read()).toEqual(range(8, 20));
});

test("who has read a file to its end reads on in the next one, also when the first has become free by then", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 3; count++) world.append([2]);
  const position = world.spool.endPosition;
  for (let count = 0; count < 4; count++) world.append([2]);
  await world.sync();
  world.release(3);
  expect(world.spool.firstSeq).toBe(4);
  expect(world.spool.headsAt(position)?.header.firstSeq).toBe(4);
  const buffer = Buffer.alloc(32 * KiB);
  const { byteLength, nextPosition } = world.spool.read(position, buffer);
  // Not at once: the room that somebody gives may be what there is up to a place in between.
  expect(byteLength).toBe(0);
  expect(world.spool.read(nextPosition, buffer).byteLength).toBeGreaterThan(0);
  expect(getBatchHeader(buffer, 0, batchMagic.records)?.firstSeq).toBe(4);
  expect(() => world.spool.read(position - 512, buffer)).toThrow("was released");
  expect(() => world.spool.headsAt(position - 512)).toThrow("was released");
});

test("nothing becomes free before a record behind it is durable, and release sees to that", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 20; count++) world.append();
  world.spool.release(20);
  expect([world.spool.releasedSeq, world.spool.firstSeq]).toEqual([0, 1]);
  world.simulation.clock.runUntilIdle();
  expect([world.spool.releasedSeq, world.spool.firstSeq]).toEqual([19, 15]);
});

test("after much was held for long, only a few free files stay", async () => {
  const world = new SpoolWorld();
  await world.open();
  while (world.appendSome(1));
  expect(world.paths.length).toBe(8);
  await world.sync();
  world.release(world.spool.lastSeq);
  for (let count = 0; count < 20; count++) world.append();
  await world.sync();
  world.release(world.spool.lastSeq);
  expect(world.paths.length).toBeLessThanOrEqual(5);
  world.host.cutPower();
  const { lastSeq } = world.spool;
  await world.open();
  expect(world.spool.lastSeq).toBe(lastSeq);
});

test("a spool at its limit says so, loses nothing, and takes more when something was released", async () => {
  const world = new SpoolWorld();
  await world.open();
  while (world.appendSome(1));
  const { lastSeq } = world.spool;
  expect(world.spool.isFull(32 * KiB - 512)).toBe(true);
  expect(() => world.append([2, 2, 2])).toThrow("is full");
  expect(await world.read()).toEqual(range(1, lastSeq));
  await world.sync();
  world.release(Math.floor(lastSeq / 2));
  expect(world.spool.isFull(32 * KiB - 512)).toBe(false);
  expect(world.append([2, 2, 2])).toBe(lastSeq + 3);
});

test("fault 15: a full disk is waited for: nothing is lost, and the same batch goes in when there is room", async () => {
  const world = new SpoolWorld(3);
  await world.open();
  world.host.disk.faults.capacityBytes = 60 * KiB;
  while (world.appendSome(1));
  const { lastSeq } = world.spool;
  expect(() => world.append([2, 2, 2])).toThrow("for want of room");
  await world.sync();
  expect(await world.read()).toEqual(range(1, lastSeq));
  world.host.disk.faults.capacityBytes = 1024 * KiB;
  expect(world.append([2, 2, 2])).toBe(lastSeq + 3);
  await world.sync();
  world.host.cutPower();
  await world.open();
  expect(await world.read()).toEqual(range(1, lastSeq + 3));
});

test("fault 15: a spool whose own free files fill the disk goes on in their room", async () => {
  const world = new SpoolWorld();
  await world.open();
  while (world.paths.length < 4) world.append();
  await world.sync();
  world.release(world.spool.lastSeq - 1);
  await world.sync();
  expect(world.paths.length).toBe(3);
  world.host.disk.faults.capacityBytes = world.host.disk.spaceBytes;
  const { lastSeq } = world.spool;
  for (let count = 0; count < 3; count++) world.append([3]);
  expect(world.spool.lastSeq).toBe(lastSeq + 3);
  await world.sync();
  world.host.cutPower();
  await world.open();
  expect(world.spool.lastSeq).toBe(lastSeq + 3);
  expect(await world.read(lastSeq)).toEqual(range(lastSeq + 1, lastSeq + 3));
});

test("after a write that failed the spool takes nothing more and repeats why", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append();
  world.host.disk.failNext("write");
  expect(() => world.append()).toThrow(StopError);
  expect(() => world.append()).toThrow("could not be written to: EIO");
  await expect(world.sync()).rejects.toThrow("could not be written to: EIO");
});

test("fault 13: after a sync that failed the spool takes nothing more and promises nothing", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append();
  world.host.disk.failNext("sync");
  await expect(world.sync()).rejects.toThrow("could not be synced: EIO");
  expect(() => world.append()).toThrow(StopError);
  expect(world.spool.durableSeq).toBe(0);
  await expect(world.sync()).rejects.toThrow(StopError);
});

test("fault 10: the name of a new file is synced before anything in it is promised", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 20; count++) world.append();
  world.host.disk.failNext("syncFolder");
  await expect(world.sync()).rejects.toThrow("could not be synced");
});

test("batches are read for the wire as they were written, whole, and file by file", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 25; count++) world.append([1, 0]);
  const buffer = Buffer.alloc(20 * KiB);
  const seqs: number[] = [];
  for (let position = world.spool.positionAfter(0); position < world.spool.endPosition; ) {
    const { byteLength, nextPosition } = world.spool.read(position, buffer);
    for (let at = 0; at < byteLength; ) {
      const header = getBatchHeader(buffer, at, batchMagic.records) as BatchHeader;
      expect(header.position).toBe(position + at);
      seqs.push(...range(header.firstSeq, lastSeqOf(header)));
      at += batchSpanBytes(header);
    }
    expect(nextPosition).toBeGreaterThan(position);
    position = nextPosition;
  }
  expect(seqs).toEqual(range(1, 50));
});

test("reading with too little room, or behind the end, gives nothing and goes nowhere", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([2]);
  const start = world.spool.positionAfter(0);
  const buffer = Buffer.alloc(16 * KiB);
  // Also where the file is not the last: what has no room is no end.
  for (let count = 0; count < 20; count++) world.append();
  for (const room of [0, 63, 64, 511, 512, 8 * KiB]) {
    expect(world.spool.read(start, buffer, room)).toEqual({ byteLength: 0, nextPosition: start });
  }
  const { endPosition } = world.spool;
  expect(world.spool.read(endPosition, buffer)).toEqual({ byteLength: 0, nextPosition: endPosition });
});

test("reading goes on over the end of a file that is full to its last byte", async () => {
  const world = new SpoolWorld(1, { segmentBytes: 512 + 9 * 512 * 3 });
  await world.open();
  for (let count = 0; count < 3; count++) world.append();
  const { endPosition } = world.spool;
  expect(endPosition % world.options.segmentBytes).toBe(0);
  const buffer = Buffer.alloc(16 * KiB);
  expect(world.spool.read(endPosition, buffer)).toEqual({ byteLength: 0, nextPosition: endPosition });
  world.append();
  expect(world.spool.read(endPosition, buffer).byteLength).toBe(9 * 512);
  world.host.kill();
  await world.open();
  expect(await world.read()).toEqual(range(1, 4));
});

test("a batch is found by any of its records", async () => {
  const world = new SpoolWorld(1, { limitBytes: 2 ** 40 });
  await world.open();
  const starts = new Map<number, number>();
  for (let count = 0; count < 60; count++) {
    const before = world.spool.lastSeq;
    world.append([1, 0, 0]);
    const start = world.spool.endPosition - 9 * 512;
    for (let seq = before; seq < before + 3; seq++) starts.set(seq, start);
  }
  for (const [seq, position] of starts) expect(world.spool.positionAfter(seq)).toBe(position);
  expect(world.spool.positionAfter(180)).toBe(world.spool.endPosition);
});

test("the age and the size of what lies behind a record are known from memory", async () => {
  const world = new SpoolWorld(1, { limitBytes: 64 * 32 * KiB });
  await world.open();
  for (let count = 0; count < 30; count++) world.append([1, 1]);
  expect([world.spool.timeAfter(0), world.spool.timeAfter(10), world.spool.timeAfter(60)]).toEqual([
    1_000,
    11_000,
    undefined,
  ]);
  const { endPosition } = world.spool;
  expect(world.spool.bytesAfter(10)).toBe(endPosition - world.spool.positionAfter(10));
  expect(world.spool.bytesAfter(60)).toBe(0);
});

test("files are prepared ahead when the present one fills, and used when it is full", async () => {
  const world = new SpoolWorld();
  await world.open();
  expect(world.spool.prepare()).toBe(false);
  for (let count = 0; count < 4; count++) world.append();
  expect(world.spool.prepare()).toBe(false);
  expect(world.paths.length).toBe(2);
  for (let count = 0; count < 8; count++) world.append();
  await world.sync();
  expect(world.paths.length).toBe(2);
  world.host.cutPower();
  await world.open();
  expect(await world.read()).toEqual(range(1, 12));
});

test("what cannot be prepared is given up and harms nothing", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 4; count++) world.append();
  world.host.disk.faults.capacityBytes = world.host.disk.spaceBytes + 8 * KiB;
  expect(world.spool.prepare()).toBe(false);
  expect(world.paths.length).toBe(1);
  expect(world.append()).toBe(5);
});

test("a spool that should be there and is not is no new one", async () => {
  const world = new SpoolWorld();
  await expect(world.open({ isNew: false })).rejects.toThrow(StopError);
  expect(world.host.files.exists(spoolFolder)).toBe(false);
});

test("a spool of another group or another incarnation is refused and left as it is", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append();
  world.host.kill();
  const group = "ffeeddccbbaa99887766554433221100";
  await expect(world.open({ group })).rejects.toThrow(RefuseError);
  await expect(world.open({ incarnation: 1 })).rejects.toThrow(RefuseError);
  await world.open();
  expect(await world.read()).toEqual([1]);
});

test("an epoch may jump ahead, and the jump is followed after a crash", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 5; count++) world.append();
  world.beginEpoch(1000);
  world.append();
  await world.sync();
  world.host.cutPower();
  await world.open();
  expect(await world.read()).toEqual([1, 2, 3, 4, 5, 1000, 1001]);
  expect([world.spool.lastEpoch, world.spool.lastSeq]).toEqual([2, 1001]);
  expect(world.spool.positionAfter(5)).toBe(world.spool.positionAfter(700));
});

test("real files hold a spool as simulated ones do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-spool-"));
  try {
    const world = new SpoolWorld();
    const machine = nodeMachine(world.host.log);
    const options = { ...smallSpool, segmentBytes: 2048 * KiB, limitBytes: 8192 * KiB };
    const path = join(folder, "spool");
    const open = (isNew: boolean): Promise<Spool> => Spool.open(machine, path, { ...options, isNew });
    const synced = (it: Spool): Promise<void> =>
      new Promise((resolve, reject) => it.sync((error) => (error === null ? resolve() : reject(error))));
    let spool = await open(true);
    for (let round = 0; round < 3; round++) {
      world.use(spool);
      for (let count = 0; count < 500; count++) world.append([1, 2]);
      while (spool.prepare());
      await synced(spool);
      spool.release(spool.lastSeq);
      await synced(spool);
      spool.close();
      spool = await open(false);
      expect(spool.lastSeq).toBe((round + 1) * 1000);
      let count = 0;
      await spool.scan(0, (record, buffer) => {
        if (record.payloadBytes > 0) expect(buffer.toString("utf8", record.payloadAt)).toContain(`${record.seq} of `);
        count++;
      });
      expect(count).toBe(spool.lastSeq - spool.firstSeq + 1);
    }
    spool.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
