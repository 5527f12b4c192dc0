/** The two ends of a volume's link against each other: interceptor and appliance in two processes. */
import { describe, expect, test } from "vitest";
import { ReconnectError, RefuseError, StopError } from "#src/core/errors.ts";
import { blockBytes, catalogueVolumesMax, volumeWindowBytes, wireConnectionCountMax } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import type { VolumeLink } from "#src/wire/volume-link.ts";
import { VolumeLinkClient } from "#src/wire/volume-link-client.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { pass, portsOf } from "./group-world.ts";
import {
  attach,
  attachedWorld,
  blocksOf,
  KeepingAppliance,
  KeepingLink,
  RecordingReceiver,
  redoWrite,
  socketAddress,
  someVolume,
  volumeWorld,
  write,
} from "./volume-world.ts";

describe("attaching", () => {
  test("the appliance is told which volume comes and what its source has, and answers what it has itself", async () => {
    const world = await volumeWorld();
    world.appliance.inDoubt = true;
    world.appliance.isAllInDoubt = true;
    const { lastOrdinal, inDoubt, isAllInDoubt, link } = await attach(world, 41);
    expect(world.appliance.attachments).toEqual([{ identity: someVolume, durableOrdinal: 41 }]);
    expect([lastOrdinal, inDoubt, isAllInDoubt, link.lastOrdinal]).toEqual([0, true, true, 0]);
  });

  test("each of many volumes has a connection", async () => {
    const world = await volumeWorld();
    world.appliance.attach = async (_identity, _durable, receiver) => {
      const link = new KeepingLink(new KeepingAppliance(), receiver);
      return { link, lastOrdinal: 0, inDoubt: false, isAllInDoubt: false };
    };
    for (let number = 0; number < 300; number++) {
      const volume = { ...someVolume, id: number.toString(16).padStart(32, "0") };
      await driven(world.driver, world.client.attach(volume, 0, new RecordingReceiver()));
    }
    expect(world.server.connectionCount).toBe(300);
    expect(wireConnectionCountMax).toBeGreaterThan(catalogueVolumesMax);
  });

  test("records that the source may lack are redone in their order before it is done", async () => {
    const world = await volumeWorld();
    world.appliance.toRedo = [
      redoWrite(5, 0, 1),
      { type: recordType.trim, ordinal: 6, startBlock: 9, blockCount: 4, buffer: Buffer.alloc(0), payloadAt: 0 },
      ...Array.from({ length: 20 }, (_, index) => redoWrite(7 + index, index, 100)),
    ];
    await attach(world, 4);
    expect(world.receiver.redone.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 22 }, (_, i) => 5 + i));
    expect(world.receiver.redone[2]?.payload?.equals(blocksOf(7, 100))).toBe(true);
    expect(world.receiver.redone[1]?.payload).toBeUndefined();
  });

  test("redoing waits for the source, however slow it is", async () => {
    const world = await volumeWorld();
    world.appliance.toRedo = Array.from({ length: 30 }, (_, index) => redoWrite(1 + index, index, 100));
    let underWay = 0;
    world.receiver.onRedo = async () => {
      expect(++underWay).toBe(1);
      await new Promise<void>((resolve) => {
        world.clock.schedule(3000, resolve);
      });
      underWay--;
    };
    await attach(world);
    expect(world.receiver.redone.length).toBe(30);
  });

  test("a source that fails while it is brought up to date ends the attempt on both sides", async () => {
    const world = await volumeWorld();
    world.appliance.toRedo = Array.from({ length: 30 }, (_, index) => redoWrite(1 + index, index, 100));
    world.receiver.onRedo = async ({ ordinal }) => {
      if (ordinal === 12) throw new StopError("the source has failed");
    };
    await expect(attach(world)).rejects.toThrow("the source has failed");
    await world.driver.until(() => !world.appliance.isClaimed);
  });

  test("a connection that is lost while redo is under way ends the attempt on both sides", async () => {
    const world = await volumeWorld();
    world.appliance.toRedo = Array.from({ length: 30 }, (_, index) => redoWrite(1 + index, index, 100));
    world.receiver.onRedo = async ({ ordinal }) => {
      if (ordinal === 12) world.network.cut("local", "local");
    };
    await expect(attach(world)).rejects.toBeInstanceOf(ReconnectError);
    await world.driver.until(() => !world.appliance.isClaimed);
  });

  test.each([new RefuseError("another interceptor has the volume"), new StopError("the spool has failed")])(
    "what the appliance says against it arrives: %s",
    async (error) => {
      const world = await volumeWorld();
      world.appliance.refuseWith = error;
      const failure = await attach(world).catch((reason: Error) => reason);
      expect(failure).toBeInstanceOf(error.constructor);
      expect((failure as Error).message).toBe(error.message);
      // Who comes again and again is no news.
      const logged = world.trace.lines.filter((line) => line.includes("an interceptor"));
      expect(logged).toEqual([expect.stringMatching(/DEBUG an interceptor could not attach .*volume=disk/)]);
    },
  );

  test("who does not know the token is refused", async () => {
    const world = await volumeWorld();
    const stranger = new VolumeLinkClient({ ...portsOf(world.host), token: "a guess", address: socketAddress });
    const attempt = driven(world.driver, stranger.attach(someVolume, 0, new RecordingReceiver()));
    await expect(attempt).rejects.toThrow("the token is not the right one");
  });

  test("an appliance that is not there is said to be worth another try", async () => {
    const world = await volumeWorld();
    await driven(world.driver, world.server.close());
    await expect(attach(world)).rejects.toBeInstanceOf(ReconnectError);
  });

  test("another interceptor of the same volume is refused, the same one anew is not", async () => {
    const world = await attachedWorld();
    const other = new VolumeLinkClient({
      ...portsOf(world.host),
      token: "a token that both know",
      address: socketAddress,
    });
    const attempt = driven(world.driver, other.attach(someVolume, 0, new RecordingReceiver()));
    await expect(attempt).rejects.toThrow("another interceptor has the volume");
    await attach(world);
    expect(world.appliance.links.map(({ isDetached }) => isDetached)).toEqual([true, false]);
    await world.driver.until(() => world.receiver.losses.length === 1);
    expect(world.receiver.losses[0]).toBeInstanceOf(ReconnectError);
  });

  test("the same interceptor anew waits for what it began before", async () => {
    const world = await volumeWorld();
    world.appliance.toRedo = [redoWrite(1, 0, 1)];
    world.receiver.onRedo = () => new Promise(() => {});
    const first = world.client.attach(someVolume, 0, world.receiver);
    first.catch(() => {});
    await world.driver.until(() => world.appliance.isClaimed);
    world.receiver.onRedo = async () => {};
    await attach(world);
    await expect(first).rejects.toThrow("connected anew");
  });
});

describe("records", () => {
  test("arrive as they were added, counted alike on both sides", async () => {
    const { link, appliance, receiver, driver } = await attachedWorld();
    write(link, 1, 10, 3);
    link.addRange(recordType.trim, 50, 100);
    write(link, 2, 0, 256 - 3);
    link.commit();
    write(link, 3, 7, 1);
    link.addRange(recordType.resyncBegin, 0, 0);
    link.commit();
    expect(link.lastOrdinal).toBe(5);
    await driver.until(() => receiver.acknowledgedOrdinal === 5);
    expect(
      appliance.records.map(({ type, ordinal, startBlock, blockCount }) => [type, ordinal, startBlock, blockCount]),
    ).toEqual([
      ["write", 1, 10, 3],
      [recordType.trim, 2, 50, 100],
      ["write", 3, 0, 253],
      ["write", 4, 7, 1],
      [recordType.resyncBegin, 5, 0, 0],
    ]);
    expect(appliance.records[2]?.payload?.equals(blocksOf(2, 253))).toBe(true);
  });

  test("payloads can be read back from the memory they lie in, for as long as it is held", async () => {
    const { link, receiver, driver } = await attachedWorld();
    expect(link.hasRoomFor(2)).toBe(true);
    const { memory } = link;
    memory.hold();
    const payloadAt = link.addWrite(3, 2, blocksOf(9, 2), 0);
    link.commit();
    await driver.until(() => receiver.acknowledgedOrdinal === 1);
    for (let round = 0; round < 50; round++) {
      write(link, round, 0, 200);
      link.commit();
      await driver.until(() => receiver.acknowledgedOrdinal === 2 + round);
    }
    expect(memory.buffer.subarray(payloadAt, payloadAt + 2 * blockBytes).equals(blocksOf(9, 2))).toBe(true);
    memory.release();
  });

  test("volumes of one process that make their batches at the same time do not disturb each other", async () => {
    const world = await volumeWorld();
    const links: VolumeLink[] = [];
    for (const id of ["00".repeat(16), "11".repeat(16), "22".repeat(16)]) {
      world.appliance.isClaimed = false;
      const { link } = await driven(world.driver, world.client.attach({ ...someVolume, id }, 0, world.receiver));
      await world.driver.until(() => link.hasRoomFor(1));
      links.push(link);
    }
    const places = links.map((link, index) => {
      const { buffer } = link.memory;
      const at = link.addWrite(0, 200, blocksOf(index, 200), 0);
      return buffer.subarray(at, at + 200 * blockBytes);
    });
    expect(places.map((place, index) => place.equals(blocksOf(index, 200)))).toEqual([true, true, true]);
  });

  test("an appliance without room takes the rest when it has some, and credit holds the interceptor back", async () => {
    const { link, appliance, receiver, driver, clock } = await attachedWorld();
    appliance.link.roomBlocks = 300;
    let added = 0;
    while (link.hasRoomFor(200)) {
      write(link, ++added, added, 200);
      link.commit();
      await pass({ clock, driver }, 100);
      expect(added).toBeLessThan(20);
    }
    expect(added * 200 * blockBytes).toBeLessThan(volumeWindowBytes + 300 * blockBytes);
    expect(appliance.records.length).toBe(1);
    const before = receiver.roomAgainCount;
    appliance.link.roomBlocks = Number.MAX_SAFE_INTEGER;
    appliance.link.receiver.roomAgain();
    await driver.until(() => receiver.acknowledgedOrdinal === added);
    expect(receiver.roomAgainCount).toBeGreaterThan(before);
    expect(link.hasRoomFor(200)).toBe(true);
  });

  test("an appliance that calls back from within its commit gets each record once, in order", async () => {
    const { link, appliance, receiver, driver, clock } = await attachedWorld();
    const own = appliance.link;
    const commit = own.commit.bind(own);
    own.commit = () => {
      own.roomBlocks = 150;
      commit();
      own.receiver.roomAgain();
    };
    own.pressure = 1;
    own.roomBlocks = 150;
    for (let count = 1; count <= 8; count++) {
      write(link, count, count, 100);
      link.commit();
    }
    await pass({ clock, driver }, 100);
    expect(appliance.records).toEqual([]);
    own.pressure = 0;
    own.receiver.roomAgain();
    await driver.until(() => receiver.acknowledgedOrdinal === 8);
    expect(appliance.records.map(({ startBlock }) => startBlock)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("pressure is passed on, from 1 on nothing is taken, and below it goes on", async () => {
    const { link, appliance, receiver, driver, clock } = await attachedWorld();
    appliance.link.pressure = 0.4;
    write(link, 1, 0, 1);
    link.commit();
    await driver.until(() => receiver.acknowledgedOrdinal === 1);
    expect(link.pressure).toBe(0.4);
    appliance.link.pressure = 1;
    write(link, 2, 0, 1);
    link.commit();
    await pass({ clock, driver }, 100);
    expect(appliance.records.length).toBe(1);
    appliance.link.pressure = 0.9;
    appliance.link.receiver.roomAgain();
    await driver.until(() => receiver.acknowledgedOrdinal === 2);
    expect(link.pressure).toBe(0.9);
  });

  test("many random records of many seeds all arrive, in order and whole", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { link, appliance, receiver, driver } = await attachedWorld(seed);
      const random = new SeededRandom(seed);
      const expected: string[] = [];
      while (expected.length < 100) {
        const blockCount = random.chance(0.1) ? random.between(1, 256) : random.between(1, 4);
        while (!link.hasRoomFor(blockCount)) {
          link.commit();
          if (!link.hasRoomFor(blockCount)) await driver.until(() => link.hasRoomFor(blockCount));
        }
        const startBlock = random.integerBelow(1000);
        const isTrim = random.chance(0.1);
        if (isTrim) link.addRange(recordType.trim, startBlock, blockCount);
        else link.addWrite(startBlock, blockCount, blocksOf(expected.length, blockCount), 0);
        expected.push(`${isTrim ? "trim" : "write"} ${startBlock} ${blockCount}`);
        if (random.chance(0.4)) link.commit();
      }
      link.commit();
      await driver.until(() => receiver.acknowledgedOrdinal === expected.length);
      const found = appliance.records.map(
        ({ type, startBlock, blockCount }) => `${type === "write" ? type : "trim"} ${startBlock} ${blockCount}`,
      );
      expect(found).toEqual(expected);
      for (const [index, { payload, blockCount }] of appliance.records.entries()) {
        if (payload !== undefined) expect(payload.equals(blocksOf(index, blockCount))).toBe(true);
      }
    }
  });
});
