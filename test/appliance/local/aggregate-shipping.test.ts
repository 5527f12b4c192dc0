/** How what was added under the mode aggregated leaves for the remote. */
import { describe, expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { batchBytesMax, batchHeaderBytes, blockBytes, KiB, MiB, recordHeadBytes } from "#src/core/limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { connected, ShippingWorld, writeOneByOne } from "./shipping-world.ts";

describe("the interval", () => {
  test("a block that is overwritten many times travels once", async () => {
    const world = await connected();
    for (let count = 0; count < 500; count++) writeOneByOne(world, [7]);
    await world.pass(999);
    expect([world.remote.received, world.remote.shippedBytes]).toEqual([0, 0]);
    await world.arrive();
    expect(world.remote.events).toEqual(["1..500 as one"]);
    expect(world.remote.shippedBytes).toBeLessThan(2 * blockBytes);
    await world.pass(10);
    expect(world.shipping.figures).toMatchObject({ aggregates: 1, foldedBytes: 499 * blockBytes });
  });

  test("is counted from the first record in it", async () => {
    const world = await connected({ policy: { everyMs: 100 } });
    writeOneByOne(world, [1]);
    await world.pass(90);
    writeOneByOne(world, [2]);
    await world.pass(20);
    expect(world.remote.events).toEqual(["1..2 as one"]);
    await world.pass(500);
    writeOneByOne(world, [3]);
    await world.pass(90);
    expect(world.remote.received).toBe(2);
    await world.pass(20);
    expect(world.remote.events).toEqual(["1..2 as one", "3..3 as one"]);
  });

  test("is not waited for when there is enough", async () => {
    const world = await connected({ policy: { everyMs: 1e9, bytesMax: 64 * KiB } });
    for (let block = 0; block < 16; block++) writeOneByOne(world, [block]);
    await world.pass(100);
    expect(world.remote.events).toEqual(["1..16 as one"]);
  });

  test("a flush does not end it, nor does it travel", async () => {
    const world = await connected();
    writeOneByOne(world, [1]);
    world.note(recordType.flush).commit();
    writeOneByOne(world, [1]);
    await world.arrive();
    expect(world.remote.events).toEqual(["1..3 as one"]);
  });

  test("of nothing but flushes makes an aggregate without a block", async () => {
    const world = await connected();
    world.note(recordType.flush).commit();
    await world.arrive();
    expect(world.remote.events).toEqual(["1..1 as one"]);
  });

  test("is not waited for while the group hurries, and the writes that come meanwhile leave together", async () => {
    const world = await connected({ policy: { everyMs: 1e9 } });
    writeOneByOne(world, [1, 2]);
    await world.pass(1000);
    expect(world.remote.received).toBe(0);
    world.isHurried = true;
    world.shipping.hurry();
    await world.arrive();
    writeOneByOne(world, [3]);
    await world.arrive();
    expect(world.remote.events).toEqual(["1..2 as one", "3..3 as one"]);
  });

  test("of a backlog is not cut short while the group hurries", async () => {
    const world = await ShippingWorld.make();
    for (let count = 0; count < 500; count++) writeOneByOne(world, [count % 10]);
    world.isHurried = true;
    world.connect();
    await world.arrive();
    expect(world.remote.events).toEqual(["1..500 as one"]);
  });

  test("does not go on after the link is gone", async () => {
    const world = await connected();
    writeOneByOne(world, [1]);
    world.cut();
    await world.pass(5000);
    expect([world.remote.shippedBytes, world.failures]).toEqual([0, []]);
  });
});

describe("the order", () => {
  test("a record that is no write ends the aggregate before it, and comes before the next one", async () => {
    const world = await connected({ policy: { everyMs: 1e9 } });
    writeOneByOne(world, [1, 1]);
    world.note(recordType.mark).commit();
    writeOneByOne(world, [2]);
    world.note(recordType.resyncBegin).commit();
    world.note(recordType.resyncEnd).commit();
    writeOneByOne(world, [3, 3]);
    world.note(recordType.clock).commit();
    await world.arrive();
    expect(world.remote.events).toEqual([
      "1..2 as one",
      "3 mark",
      "4..4 as one",
      "5 resyncBegin",
      "6 resyncEnd",
      "7..8 as one",
      "9 clock",
    ]);
  });

  test("a batch that has such a record among writes travels as it is", async () => {
    const world = await connected();
    world.write(5, [1]).note(recordType.mark).write(5, [2]).commit();
    await world.arrive();
    expect(world.remote.events).toEqual(["1 write", "2 mark", "3 write"]);
  });

  test("a batch of which the remote has the first half is sent again as it is, and only what follows it is folded", async () => {
    const world = await ShippingWorld.make();
    world.write(1, [1]).write(1, [2]).write(1, [3]).commit();
    writeOneByOne(world, [2, 2]);
    world.remote.startWith(2);
    world.connect();
    await world.arrive();
    expect(world.remote.events).toEqual(["3 write", "4..5 as one"]);
  });

  test("what was added under another mode travels as it is, however late", async () => {
    const world = await ShippingWorld.make({ mode: "async" });
    writeOneByOne(world, [1, 1]);
    world.switchTo("aggregated");
    writeOneByOne(world, [2, 2]);
    world.switchTo("async");
    writeOneByOne(world, [3, 3]);
    world.switchTo("sync");
    writeOneByOne(world, [4]);
    world.switchTo("aggregated");
    writeOneByOne(world, [5, 5]);
    world.connect();
    await world.arrive();
    expect(world.remote.events).toEqual([
      ...["1 write", "2 write", "3 mode", "4..5 as one", "6 mode", "7 write", "8 write"],
      ...["9 mode", "10 write", "11 mode", "12..13 as one"],
    ]);
  });

  test("aggregates begin in a file of the spool also when the one before it was released on the way there", async () => {
    const segmentBytes = 64 * KiB;
    const world = await ShippingWorld.make({ mode: "async", spool: { segmentBytes, limitBytes: 2 * segmentBytes } });
    writeOneByOne(world, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const switchSeq = world.switchTo("aggregated");
    world.remote.holdsMemory = true;
    world.connect();
    await world.pass(10);
    expect(world.remote.received).toBe(switchSeq);
    // There is no room left for it in the first file.
    world.write(1, [1, 2, 3, 4, 5]).commit();
    world.spool.release(switchSeq);
    await world.pass(100);
    expect(world.spool.firstSeq).toBe(switchSeq + 1);
    world.remote.holdsMemory = false;
    world.remote.drain();
    await world.arrive();
    expect(world.remote.events.slice(-2)).toEqual([`${switchSeq} mode`, `${switchSeq + 1}..${switchSeq + 1} as one`]);
  });

  test("switches take effect while everything is on its way", async () => {
    const world = await connected({ mode: "async", policy: { everyMs: 20 } });
    for (let round = 0; round < 50; round++) {
      writeOneByOne(world, [1, 1, 2]);
      if (round % 3 === 0) await world.pass(7);
      world.switchTo(round % 2 === 0 ? "aggregated" : "async");
    }
    await world.arrive();
    expect(world.remote.events.filter((event) => event.endsWith("mode"))).toHaveLength(50);
    expect(world.remote.events.filter((event) => event.endsWith("as one"))).toHaveLength(25);
  });

  test("a trim drops what it covers, and what is written over it afterwards stays", async () => {
    const world = await connected();
    world.write(10, [1, 2, 3]).clear(recordType.trim, 11, 5).write(12, [4]).clear(recordType.zero, 10, 1).commit();
    await world.arrive();
    expect(world.stateAt(4)).toEqual(new Map([["1:12", 4]]));
    expect(world.remote.shippedBytes).toBeLessThan(2 * blockBytes);
  });
});

describe("durability", () => {
  test("nothing leaves before the spool has all of it durably", async () => {
    const world = await connected({ policy: { everyMs: 10 } });
    writeOneByOne(world, [1, 2]);
    const syncs: DoneCallback[] = [];
    const { spool } = world;
    const sync = spool.sync.bind(spool);
    spool.sync = (done) => void syncs.push(done);
    await world.pass(1000);
    expect([world.remote.shippedBytes, syncs.length]).toEqual([0, 1]);
    writeOneByOne(world, [3]);
    await world.pass(1000);
    expect([world.remote.shippedBytes, syncs.length]).toEqual([0, 1]);
    spool.sync = sync;
    sync(syncs[0] as DoneCallback);
    await world.arrive();
    expect(world.remote.events).toEqual(["1..2 as one", "3..3 as one"]);
  });

  test("a sync that was asked for before the link was lost begins nothing after it is back", async () => {
    const world = await connected({ policy: { everyMs: 10 } });
    writeOneByOne(world, [1, 2]);
    const syncs: DoneCallback[] = [];
    const { spool } = world;
    const sync = spool.sync.bind(spool);
    spool.sync = (done) => void syncs.push(done);
    await world.pass(1000);
    world.cut();
    writeOneByOne(world, [3]);
    world.connect();
    await world.pass(1000);
    expect(syncs.length).toBe(2);
    for (const done of syncs) sync(done);
    spool.sync = sync;
    await world.arrive();
    expect(world.remote.events).toEqual(["1..3 as one"]);
  });

  test("a spool that cannot be synced is told of, and nothing leaves", async () => {
    const world = await connected({ policy: { everyMs: 10 } });
    writeOneByOne(world, [1]);
    world.spool.sync = (done) => done(Object.assign(new Error("the disk is gone"), { code: "EIO" }));
    await world.pass(1000);
    expect(world.failures.map(({ message }) => message)).toEqual(["the disk is gone"]);
    expect(world.remote.shippedBytes).toBe(0);
  });

  test("a block of the spool that was damaged is never shipped: the place is named", async () => {
    const world = await connected();
    writeOneByOne(world, [1, 2, 3]);
    const read = world.spool.readPayload.bind(world.spool);
    world.spool.readPayload = (position, buffer, start, byteLength) => {
      read(position, buffer, start, byteLength);
      if (getsBlock(buffer, start, 2)) buffer[start + 100] = (buffer[start + 100] as number) ^ 1;
    };
    await world.pass(5000);
    expect(world.failures[0]).toBeInstanceOf(StopError);
    expect(world.failures[0]?.message).toMatch(
      /^the spool is damaged: \/spool\/\d+\.segment, byte \d+: block 2 of volume 1, written by one of the records 1 to 3, does/,
    );
    expect(world.remote.shippedBytes).toBe(0);
  });
});

test("fault 18: one flipped bit of the spool is never shipped: it is in what does not count, or shipping ends", async () => {
  let endedCount = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const world = await ShippingWorld.make({ seed, spool: { segmentBytes: 64 * KiB, limitBytes: MiB } });
    const random = new SeededRandom(seed);
    const positions: number[] = [];
    for (let count = 0; count < 12; count++) {
      positions.push(world.spool.endPosition);
      writeOneByOne(world, [random.integerBelow(8)]);
    }
    const [name = ""] = world.host.files.list("/spool");
    // In a header, a payload, or the head and checksum behind it.
    const parts = [batchHeaderBytes, blockBytes, recordHeadBytes + checksumBytes];
    const part = random.integerBelow(parts.length);
    const start = parts.slice(0, part).reduce((sum, byteLength) => sum + byteLength, random.pick(positions));
    const offset = start + random.integerBelow(parts[part] as number);
    world.host.disk.fileAt(`/spool/${name}`).flipBit(offset, random.integerBelow(8));
    world.connect();
    await world.pass(5000);
    if (world.failures.length === 0) expect(world.remote.events).toEqual(["1..12 as one"]);
    else expect(world.failures[0]?.message).toContain("the spool is damaged: /spool/");
    endedCount += world.failures.length;
  }
  expect(endedCount).toBeGreaterThan(20);
  expect(endedCount).toBeLessThan(60);
});

/** Whether the block that `writeOneByOne` wrote there lies in the buffer. */
function getsBlock(buffer: Buffer, start: number, block: number): boolean {
  return Math.floor(buffer.readUInt32LE(start) / 1000) === block;
}

describe("credit and memory", () => {
  test("less credit than a row of parts holds an aggregate up, and nothing comes in between", async () => {
    const world = await ShippingWorld.make();
    for (let index = 0; index < 12; index++) {
      world
        .write(
          index * 1000,
          Array.from({ length: 256 }, (_, block) => index * 1000 + block),
        )
        .commit();
    }
    world.note(recordType.mark).commit();
    world.remote.isGenerous = false;
    world.remote.creditBytes = 2 * batchBytesMax;
    world.connect();
    await world.pass(5000);
    expect([world.remote.received, world.remote.partCount]).toEqual([0, 2]);
    while (world.remote.received < 13) {
      world.remote.credit(300 * KiB);
      await world.pass(10);
    }
    expect(world.remote.events).toEqual(["1..12 as one", "13 mark"]);
    expect(world.remote.partCount).toBeGreaterThan(11);
  });

  test("a part stays as it is for as long as the link needs it", async () => {
    const world = await connected({ policy: { everyMs: 10 } });
    world.remote.holdsMemory = true;
    for (let index = 0; index < 3; index++) {
      world
        .write(
          index * 300,
          Array.from({ length: 256 }, (_, block) => block),
        )
        .commit();
    }
    for (let drains = 0; drains < 6; drains++) {
      await world.pass(50);
      world.remote.drain();
    }
    await world.arrive();
    expect(world.remote.events).toEqual(["1..3 as one"]);
  });

  test("while the link takes nothing the next aggregate takes in what comes, beyond its size", async () => {
    const world = await connected({ policy: { everyMs: 1e9, bytesMax: MiB } });
    world.remote.isGenerous = false;
    world.remote.creditBytes = 0;
    const burst = () =>
      world
        .write(
          0,
          Array.from({ length: 256 }, (_, block) => block),
        )
        .commit();
    for (let count = 0; count < 40; count++) {
      burst();
      await world.pass(1);
    }
    world.remote.credit(100 * MiB);
    await world.arrive();
    expect(world.remote.events).toEqual(["1..1 as one", "2..40 as one"]);
  });
});
