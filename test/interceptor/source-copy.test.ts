/** The marked regions are journaled anew while the host goes on. */
import { describe, expect, test } from "vitest";
import { ReconnectError } from "#src/core/errors.ts";
import { blockBytes, copyAheadBytesMax, copyPieceCountMax, copyRetryMs, MiB } from "#src/core/limits.ts";
import { nbdError } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const sizeBytes = 40 * MiB;
const payload = filled(blockBytes, 7);

interface Doubt {
  readonly seed?: number;
  readonly copyBytesPerSecond?: number;
  readonly wrap?: VolumeWorld["wrap"];
}

/** A volume that lost power with 17 marked regions, and is open again. */
async function inDoubt({ seed = 1, copyBytesPerSecond = 1e12, wrap }: Doubt = {}): Promise<VolumeWorld> {
  const world = new VolumeWorld({ seed, sizeBytes, options: { copyBytesPerSecond, checkpointMs: 200 } });
  await world.open();
  world.write(4 * MiB, payload);
  world.flush();
  await world.pass(30);
  world.cutPower();
  if (wrap !== undefined) world.wrap = wrap;
  await world.open();
  return world;
}

async function resynced(world: VolumeWorld): Promise<void> {
  for (let round = 0; world.volume.status().copy !== undefined; round++) {
    if (round > 2_000) throw new Error("the resync does not end");
    await world.pass(10);
  }
  await world.pass(20);
}

function typesAdded(world: VolumeWorld): number[] {
  return world.links.journal.map((record) => record.type);
}

test("between its two records it journals all that is marked, and nothing else", async () => {
  const world = await inDoubt();
  await resynced(world);
  const { journal } = world.links;
  const begin = journal.findIndex((record) => record.type === recordType.resyncBegin);
  const between = journal.slice(begin + 1, -1);
  expect(between.map((record) => record.startBlock).sort((one, other) => one - other)).toEqual(
    Array.from({ length: 17 }, (_, at) => (4 + at) * 256),
  );
  expect(journal.at(-1)?.type).toBe(recordType.resyncEnd);
  const replayed = world.links.replay(world.initial);
  expect(firstDifference(replayed, world.source)).toBeUndefined();
});

test("holes are journaled without payload", async () => {
  const world = new VolumeWorld({ sizeBytes, isSparse: true });
  await world.open();
  world.write(0, payload);
  await world.pass(30);
  world.cutPower();
  await world.open();
  await resynced(world);
  const pieces = world.links.journal.filter((record) => record.blockCount === 256);
  pieces.sort((one, other) => one.startBlock - other.startBlock);
  expect(pieces.map((record) => record.type).slice(0, 5)).toEqual([1, 2, 2, 2, 1]);
});

test("that it is wanted survives until its end is durable; a later start does not begin it again", async () => {
  const world = await inDoubt({ copyBytesPerSecond: 10 * MiB });
  await world.pass(500);
  world.kill();
  await world.open();
  expect(world.volume.status().copy).toBeDefined();
  await resynced(world);
  await world.pass(100);
  world.kill();
  await world.open();
  expect(world.volume.status().copy).toBeUndefined();
  expect(typesAdded(world).filter((type) => type === recordType.resyncBegin)).toHaveLength(2);
});

test("after a crash it does not repeat what was done and is durable", async () => {
  const world = await inDoubt({ copyBytesPerSecond: 4 * MiB });
  await world.pass(3_000);
  const marked = world.volume.status().markedRegions;
  expect(marked).toBeLessThan(12);
  world.kill();
  const before = world.links.journal.length;
  await world.open();
  await resynced(world);
  const again = world.links.journal.slice(before).filter((record) => record.type === recordType.write);
  expect(again.length).toBeLessThanOrEqual(marked);
  expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
});

test("regions that have not had their turn keep their marks at checkpoints", async () => {
  const world = await inDoubt({ copyBytesPerSecond: MiB });
  await world.pass(2_500);
  const { copy, markedRegions } = world.volume.status();
  expect(markedRegions).toBeGreaterThanOrEqual(17 - (copy?.regionsDone ?? 0));
  world.cutPower();
  await world.open();
  expect(world.volume.status().copy?.regionsTotal).toBeGreaterThanOrEqual(17 - (copy?.regionsDone ?? 0));
});

test("its speed is bounded", async () => {
  const world = await inDoubt({ copyBytesPerSecond: 10 * MiB });
  await world.pass(1_000);
  const done = world.volume.figures.copyBytes;
  expect(done).toBeGreaterThan(8 * MiB);
  expect(done).toBeLessThan(13 * MiB);
});

test("a source that cannot be read is tried again later, and meanwhile the host goes on", async () => {
  const world = await inDoubt();
  world.host.disk.faults.readErrorChance = 1;
  await world.pass(1_000);
  world.host.disk.faults.readErrorChance = 0;
  expect(world.volume.status().copy).toBeDefined();
  expect(world.write(0, payload).error).toBeUndefined();
  await world.pass(copyRetryMs);
  await resynced(world);
  expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
});

test("a first record that was lost with the link on its way is sent once more, before any piece", async () => {
  const world = new VolumeWorld({ sizeBytes, options: { copyBytesPerSecond: 1e12 } });
  await world.open();
  world.write(4 * MiB, payload);
  world.flush();
  await world.pass(30);
  world.cutPower();
  world.links.acknowledgesAtOnce = false;
  await world.open();
  const lost = world.links.journal.pop();
  expect(lost?.type).toBe(recordType.resyncBegin);
  // What it is told to be durable in the source counts for the appliance, whether or not it ever got that.
  world.links.journal.push({ ...(lost as NonNullable<typeof lost>), type: recordType.flush });
  world.links.acknowledgesAtOnce = true;
  world.links.lose(new ReconnectError("it was killed"));
  await world.pass(500);
  await resynced(world);
  const types = typesAdded(world);
  expect(types).toContain(recordType.resyncBegin);
  const pieces = world.links.journal.findIndex((record) => record.blockCount === 256);
  expect(types.indexOf(recordType.resyncBegin)).toBeLessThan(pieces);
});

test("one place that cannot be read does not hold up all others", async () => {
  const world = await inDoubt({
    wrap: (source) => {
      const reluctant = new ReluctantSource(source, () => true);
      const inner = reluctant.read.bind(reluctant);
      reluctant.read = (buffer, start, lengthBytes, position, done) =>
        position === 6 * MiB ? done(new Error("a bad place")) : inner(buffer, start, lengthBytes, position, done);
      return reluctant;
    },
  });
  await world.pass(copyRetryMs / 2);
  expect(world.volume.status().copy).toMatchObject({ regionsTotal: 17, regionsDone: 16 });
});

describe("when somebody asks for it", () => {
  test("all of the source is copied, and flushes in sync do not wait for that", async () => {
    const world = await VolumeWorld.opened({ sizeBytes, options: { copyBytesPerSecond: 20 * MiB } });
    world.links.isSync = true;
    const file = world.host.files.open("/source", "readWrite");
    file.writeNow(filled(MiB, 0x5a), 0, MiB, 7 * MiB);
    file.close();
    await world.warmUp();
    const first = world.links.journal.length;
    await world.run(world.volume.resync());
    world.write(0, payload);
    const flush = world.flush();
    await world.pass(100);
    expect([flush.error, world.volume.status().copy]).toMatchObject([
      nbdError.ok,
      { kind: "resync", regionsTotal: 40 },
    ]);
    await resynced(world);
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
    expect(typesAdded(world)[first]).toBe(recordType.resyncBegin);
    expect(typesAdded(world)).not.toContain(recordType.initialComplete);
  });

  test("while there is no link, it is done with the next one", async () => {
    const world = await VolumeWorld.opened({ sizeBytes, options: { whenLost: "stall" } });
    world.links.attachErrors = [new ReconnectError("gone"), new ReconnectError("gone")];
    world.links.lose(new ReconnectError("it was killed"));
    await world.pass(50);
    await world.run(world.volume.resync());
    expect(world.volume.status().copy).toBeUndefined();
    await world.pass(2_000);
    expect(typesAdded(world)).toContain(recordType.resyncEnd);
    await resynced(world);
    expect(world.links.journal.filter((record) => record.type === recordType.write)).toHaveLength(40);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 8, 11])(
    "at whatever moment of another copy, all is copied, zeros over old data too: %d steps before its end",
    async (steps) => {
      const story = async (stepsMax: number): Promise<{ world: VolumeWorld; steps: number }> => {
        const world = await VolumeWorld.opened({ seed: 3, options: { copyBytesPerSecond: 1e12 } });
        await world.run(world.volume.resync());
        for (let step = 0; step < stepsMax; step++) {
          if (world.volume.status().copy === undefined && world.links.journal.length > 0) return { world, steps: step };
          await world.pass(0.25);
        }
        return { world, steps: stepsMax };
      };
      const { steps: end } = await story(1_000);
      const { world } = await story(end - steps);
      world.host.openBlockDevice("/source", { readOnly: false }).punchHoleNow(3 * MiB, 2 * MiB);
      await world.run(world.volume.resync());
      await resynced(world);
      expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
    },
  );

  test("before the first record of another copy has found room, it begins with all", async () => {
    const world = new VolumeWorld({ sizeBytes, options: { copyBytesPerSecond: 1e12 } });
    await world.open();
    world.write(4 * MiB, payload);
    world.flush();
    await world.pass(30);
    world.cutPower();
    world.links.pressure = 1;
    await world.open();
    const waiting = world.write(9 * MiB, payload);
    let isAnswered = false;
    const ordered = world.volume.resync().then(() => {
      isAnswered = true;
    });
    await world.pass(1_000);
    // Somebody who is told and sets a mark then would have a point without what the source has.
    expect(isAnswered).toBe(false);
    world.links.pressure = 0;
    world.links.current?.receiver.roomAgain();
    await world.run(ordered);
    expect(typesAdded(world)).toContain(recordType.resyncBegin);
    await resynced(world);
    expect(waiting.error).toBe(nbdError.ok);
    expect(world.links.journal.filter((record) => record.type === recordType.resyncBegin)).toHaveLength(1);
    expect(world.links.journal.filter((record) => record.blockCount === 256)).toHaveLength(40);
  });

  test("while another copy waits for the link, that copy does not pass for it", async () => {
    const world = await VolumeWorld.opened({ sizeBytes, options: { copyBytesPerSecond: 10 * MiB } });
    await world.run(world.volume.resync());
    await world.pass(1_000);
    world.links.lose(new ReconnectError("it was killed"));
    world.host.openBlockDevice("/source", { readOnly: false }).punchHoleNow(MiB, MiB);
    await world.run(world.volume.resync());
    await world.pass(100);
    await resynced(world);
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  });

  test("a kill in the middle does not end it", async () => {
    const world = await VolumeWorld.opened({ sizeBytes, options: { copyBytesPerSecond: 10 * MiB } });
    await world.warmUp();
    await world.run(world.volume.resync());
    await world.pass(1_000);
    world.kill();
    await world.open();
    expect(world.volume.status().copy).toMatchObject({ kind: "resync" });
    await resynced(world);
    expect(typesAdded(world)).toContain(recordType.resyncEnd);
  });

  // Whoever reads the order cannot tell one that begins with it from the first copy of a volume that held something.
  test.each(["goes on", "was killed meanwhile"])(
    "behind no record at all it ends like a first copy: %s",
    async (how) => {
      const world = await VolumeWorld.opened({ sizeBytes, options: { copyBytesPerSecond: 10 * MiB } });
      await world.run(world.volume.resync());
      await world.pass(1_000);
      if (how !== "goes on") {
        world.kill();
        await world.open();
      }
      await resynced(world);
      expect(typesAdded(world)[0]).toBe(recordType.resyncBegin);
      expect(typesAdded(world).slice(-2)).toEqual([recordType.resyncEnd, recordType.initialComplete]);
    },
  );
});

describe("under the writes of a host", () => {
  test("a piece waits for what is in flight over it, and holds up what comes over it", async () => {
    const held: (() => void)[] = [];
    const world = await inDoubt({
      copyBytesPerSecond: MiB,
      wrap: (source) => Object.assign(new ReluctantSource(source, () => true), { heldReads: held }),
    });
    await world.pass(10);
    expect(held).toHaveLength(1);
    const over = world.write(4 * MiB + 8192, payload);
    const beside = world.write(30 * MiB, payload);
    await world.pass(20);
    expect([over.error, beside.error]).toEqual([undefined, nbdError.ok]);
    for (const read of held.splice(0)) read();
    await world.pass(20);
    expect(over.error).toBe(nbdError.ok);
    const shape = world.links.shape;
    expect(shape.indexOf("1 1024+256")).toBeLessThan(shape.indexOf("1 1026+1"));
  });

  test("beside it a piece is read once before it is locked, so that no write waits for a disk because of it", async () => {
    const held: (() => void)[] = [];
    const world = await inDoubt({
      copyBytesPerSecond: MiB,
      wrap: (source) => Object.assign(new ReluctantSource(source, () => true), { heldReads: held }),
    });
    const release = async (): Promise<void> => {
      expect(held).toHaveLength(1);
      for (const read of held.splice(0)) read();
      await world.pass(20);
    };
    await world.pass(10);
    world.write(30 * MiB, payload);
    await release();
    await world.pass(1_100);
    const early = world.write(5 * MiB, payload);
    await world.pass(20);
    expect(early.error).toBe(nbdError.ok);
    await release();
    const late = world.write(5 * MiB + blockBytes, payload);
    await world.pass(20);
    expect(late.error).toBeUndefined();
    await release();
    expect(late.error).toBe(nbdError.ok);
    const piece = world.links.journal.find((one) => one.startBlock === 5 * 256 && one.blockCount === 256);
    expect(piece?.payload[0]).toBe(7);
  });

  test("a piece is not read before what was in flight over it is in the source", async () => {
    const world = await inDoubt({ copyBytesPerSecond: MiB });
    await world.pass(1_500);
    world.links.acknowledgesAtOnce = false;
    const region = 4 + (world.volume.status().copy?.regionsDone ?? 0);
    const write = world.write(region * MiB, payload);
    await world.pass(1_500);
    expect(write.error).toBeUndefined();
    expect(world.links.shape).not.toContain(`1 ${region * 256}+256`);
    world.links.acknowledgesAtOnce = true;
    world.links.current?.acknowledgeAll();
    await world.pass(20);
    const piece = world.links.journal.find((one) => one.startBlock === region * 256 && one.blockCount === 256);
    expect(piece?.payload[0]).toBe(7);
  });

  test.each(Array.from({ length: 12 }, (_, seed) => seed))("journal and source end the same: seed %d", async (seed) => {
    const world = await inDoubt({ seed, copyBytesPerSecond: 200 * MiB });
    const random = world.simulation.random.fork("host");
    const host = new RandomHost(world, random, 16 * MiB);
    world.links.acknowledgesAtOnce = random.chance(0.5);
    while (world.volume.status().copy !== undefined || !host.isAnswered) {
      if (world.volume.status().copy !== undefined) host.act();
      await world.pass(random.between(0, 8) / 4);
      world.links.current?.acknowledgeAll();
    }
    expect(firstDifference(world.links.replay(world.initial), world.source), `seed ${seed}`).toBeUndefined();
  });
});

test("it goes no farther ahead of the remote than it may, and on when the remote has more", async () => {
  const world = new VolumeWorld({ sizeBytes: copyAheadBytesMax + 8 * MiB, hasBase: true });
  world.links.remoteOrdinal = 0;
  await world.open();
  await world.pass(5_000);
  const done = world.volume.status().copy?.bytesDone ?? 0;
  expect(done).toBeGreaterThanOrEqual(copyAheadBytesMax);
  expect(done).toBeLessThanOrEqual(copyAheadBytesMax + copyPieceCountMax * MiB);
  world.links.remoteOrdinal = world.links.lastOrdinal;
  await resynced(world);
  expect(world.links.journal.at(-1)?.type).toBe(recordType.initialComplete);
});
