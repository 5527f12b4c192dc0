/** What a source held before it was protected is brought into the order while the host writes. */
import { describe, expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { nbdError } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { filled, VolumeWorld, type WorldOptions } from "./volume-world.ts";

const sizeBytes = 40 * MiB;
const payload = filled(blockBytes, 7);
const slow = { copyBytesPerSecond: 10 * MiB, checkpointMs: 200 } as const;

async function added(options: WorldOptions = {}): Promise<VolumeWorld> {
  return VolumeWorld.opened({ sizeBytes, hasBase: true, options: { checkpointMs: 200 }, ...options });
}

async function copied(world: VolumeWorld): Promise<void> {
  for (let round = 0; world.volume.status().copy !== undefined; round++) {
    if (round > 4_000) throw new Error("the copy does not end");
    await world.pass(10);
  }
  await world.pass(20);
}

function typesAdded(world: VolumeWorld): number[] {
  return world.links.journal.map((record) => record.type);
}

/** The journal knows nothing of a volume before its first record: it begins with zeros. */
function replayed(world: VolumeWorld): Buffer {
  return world.links.replay(Buffer.alloc(world.sizeBytes));
}

test("claim A1: all of the source is in the journal, and only then it is said to be complete", async () => {
  const world = await added();
  expect(world.volume.status()).toMatchObject({ baseMissing: true, copy: { kind: "initial", bytesTotal: sizeBytes } });
  await copied(world);
  const types = typesAdded(world);
  expect([types[0], ...types.slice(-2)]).toEqual([
    recordType.resyncBegin,
    recordType.resyncEnd,
    recordType.initialComplete,
  ]);
  expect(types.filter((type) => type === recordType.write)).toHaveLength(40);
  expect(firstDifference(replayed(world), world.source)).toBeUndefined();
  expect(world.volume.status()).toMatchObject({ baseMissing: false, state: "open" });
  expect(world.volume.status().copy).toBeUndefined();
});

test("holes are neither read nor journaled", async () => {
  const world = await added({ isSparse: true });
  await copied(world);
  expect(world.volume.figures.copyBytes).toBe(10 * MiB);
  expect(world.links.shape).toHaveLength(10 + 3);
  expect(firstDifference(replayed(world), world.source)).toBeUndefined();
});

test("zeros that are written out are read and not journaled", async () => {
  const world = new VolumeWorld({ sizeBytes, hasBase: true });
  const file = world.host.files.open("/source", "readWrite");
  file.writeNow(Buffer.alloc(512 * 1024), 0, 512 * 1024, 4 * MiB + 256 * 1024);
  file.close();
  await world.open();
  await copied(world);
  const shapes = world.links.shape.filter((shape) => / (1024|1216)\+/.test(shape));
  expect(shapes).toEqual(["1 1024+64", "1 1216+64"]);
  expect(firstDifference(replayed(world), world.source)).toBeUndefined();
});

test("a volume that was empty has nothing to copy", async () => {
  const world = await VolumeWorld.opened({ sizeBytes });
  expect(world.volume.status()).toMatchObject({ baseMissing: false });
  expect(world.volume.status().copy).toBeUndefined();
});

describe("after a crash in the middle", () => {
  test("it goes on with what is still marked", async () => {
    const world = await added({ options: slow });
    await world.pass(3_000);
    const marked = world.volume.status().markedRegions;
    expect(marked).toBeLessThan(25);
    world.kill();
    const before = world.links.journal.length;
    await world.open();
    expect(world.volume.status()).toMatchObject({ baseMissing: true, copy: { kind: "initial" } });
    await copied(world);
    const again = world.links.journal.slice(before).filter((record) => record.type === recordType.write);
    expect(again.length).toBeLessThanOrEqual(marked);
    expect(firstDifference(replayed(world), world.source)).toBeUndefined();
    expect(typesAdded(world).filter((type) => type === recordType.initialComplete)).toHaveLength(1);
  });

  test("once it was complete, no later start begins it again", async () => {
    const world = await added();
    await copied(world);
    await world.pass(500);
    world.kill();
    await world.open();
    expect(world.volume.status()).toMatchObject({ baseMissing: false });
    expect(world.volume.status().copy).toBeUndefined();
  });

  test("fault 10: with the power lost, what the host had trimmed meanwhile is said", async () => {
    const world = await added({ options: slow });
    expect(world.write(30 * MiB, filled(MiB, 9)).error).toBe(nbdError.ok);
    await world.pass(600);
    expect(world.volume.status().durableOrdinal).toBeGreaterThan(2);
    world.links.flushesAtOnce = false;
    world.links.durableCount = world.links.journal.length;
    world.trim(30 * MiB, MiB);
    await world.pass(100);
    world.host.disk.fileAt("/source").makeDurable(Number.MAX_SAFE_INTEGER);
    world.host.cutPower();
    world.links.cutPower(world.links.durableCount);
    world.links.flushesAtOnce = true;
    await world.open();
    await copied(world);
    expect(firstDifference(replayed(world), world.source)).toBeUndefined();
  });
});

test("a map from before the base was noted is taken for one that lacks all of it", async () => {
  const world = await VolumeWorld.opened({ sizeBytes, hasBase: true, options: { copyBytesPerSecond: 1 } });
  world.kill();
  const file = world.host.files.open("/volume/regions", "readWrite");
  const bytes = Buffer.alloc(16_384);
  const byteLength = file.readNow(bytes, 0, bytes.length, 0);
  file.close();
  const { decodeCopy, encodeCopy, copyBytesOf } = await import("#src/interceptor/region-map-format.ts");
  const owner = { id: "00112233445566778899aabbccddeeff", sizeBytes };
  const found = decodeCopy(owner, bytes.subarray(0, byteLength), 0, 0);
  if (found.kind !== "whole") throw new Error("the map is whole");
  const old = { ...found.copy, state: { ...found.copy.state, base: "missing" as const }, bits: new Uint8Array(5) };
  const again = world.host.files.open("/volume/regions", "readWrite");
  again.writeNow(encodeCopy(owner, old), 0, copyBytesOf(sizeBytes), 0);
  again.writeNow(
    encodeCopy(owner, { ...old, generation: old.generation - 1 }),
    0,
    copyBytesOf(sizeBytes),
    copyBytesOf(sizeBytes),
  );
  again.close();
  await world.open();
  expect(world.volume.status()).toMatchObject({ baseMissing: true, markedRegions: 40 });
});

describe("beside a host that writes", () => {
  test("it is held up by a high pressure, and hosts are not", async () => {
    const world = await added();
    world.links.pressure = 0.49;
    await world.pass(2_000);
    expect(world.volume.figures.copyBytes).toBeLessThan(8 * MiB);
    expect(world.write(39 * MiB, payload).error).toBe(nbdError.ok);
    world.links.pressure = 0;
    await copied(world);
    expect(firstDifference(replayed(world), world.source)).toBeUndefined();
  });

  test("a flush in sync is not held up by it: nobody was promised what was there before", async () => {
    const world = await added({ options: slow });
    world.links.isSync = true;
    world.write(0, payload);
    await world.pass(50);
    const flush = world.flush();
    await world.pass(100);
    expect([flush.error, world.volume.status().copy?.kind]).toEqual([nbdError.ok, "initial"]);
  });

  test.each(Array.from({ length: 12 }, (_, seed) => seed))("journal and source end the same: seed %d", async (seed) => {
    const world = await added({ seed, options: { copyBytesPerSecond: 200 * MiB, checkpointMs: 200 } });
    const random = world.simulation.random.fork("host");
    const host = new RandomHost(world, random, 16 * MiB);
    world.links.acknowledgesAtOnce = random.chance(0.5);
    while (world.volume.status().copy !== undefined || !host.isAnswered) {
      if (world.volume.status().copy !== undefined) host.act();
      await world.pass(random.between(0, 8) / 4);
      world.links.current?.acknowledgeAll();
    }
    expect(firstDifference(replayed(world), world.source), `seed ${seed}`).toBeUndefined();
  });
});
