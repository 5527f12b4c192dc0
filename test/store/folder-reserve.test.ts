import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { KiB, MiB } from "#src/core/limits.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { FolderReserve } from "#src/store/folder-reserve.ts";
import { marksPerSegmentBytes } from "#src/store/slot-marks.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { CollectionLives } from "./collection-lives.ts";

async function opened(byteLength: number) {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  const { files, randomness, log } = host;
  const run = <Result>(promise: Promise<Result>): Promise<Result> => driven(simDriver(simulation.clock), promise);
  const objects = await run(FolderObjects.open(host, "/store"));
  const reserve = (length = byteLength) =>
    new FolderReserve({ files, randomness, log, folder: "/store", byteLength: () => length });
  return { host, run, objects, reserve };
}

test("fault 16: on a full disk whoever may use the reserve writes on, and nobody else", async () => {
  const { host, run, objects, reserve } = await opened(3 * MiB);
  const held = reserve();
  await run(held.refill());
  expect(held.heldBytes).toBe(3 * MiB);
  host.disk.faults.capacityBytes = host.disk.spaceBytes;
  const other = objects.create("segments/1");
  await expect(run(other.write(Buffer.alloc(64 * KiB, 1)))).rejects.toThrow(RetryError);
  const own = objects.create("segments/2", held);
  for (let count = 0; count < 32; count++) await run(own.write(Buffer.alloc(64 * KiB, count)));
  await run(own.finish());
  expect(held.heldBytes).toBe(1 * MiB);
  const content = Buffer.alloc(2 * MiB);
  expect(await run(objects.read("segments/2", content, 0))).toBe(2 * MiB);
  expect(content.subarray(-64 * KiB).every((byte) => byte === 31)).toBe(true);
  const tooMuch = objects.create("segments/3", held);
  await run(tooMuch.write(Buffer.alloc(MiB, 1)));
  await expect(run(tooMuch.write(Buffer.alloc(MiB, 1)))).rejects.toThrow(RetryError);
  await run(objects.remove("segments/2"));
  await run(held.refill());
  expect(held.heldBytes).toBe(3 * MiB);
  expect(await run(Array.fromAsync(objects.list("")))).toEqual([]);
});

test("a reserve is as large as was asked for, as far as there is room, also when it is opened again", async () => {
  const { host, run, reserve } = await opened(3 * MiB);
  host.disk.faults.capacityBytes = host.disk.spaceBytes + 2.5 * MiB;
  const first = reserve();
  await run(first.refill());
  expect(first.heldBytes).toBe(2 * MiB);
  expect(reserve().heldBytes).toBe(2 * MiB);
  expect(reserve(MiB).heldBytes).toBe(MiB);
  expect(reserve(0).heldBytes).toBe(0);
  expect(reserve().give(1)).toBe(false);
});

/** Four segments, of which little is needed; then the disk is full. */
async function fullStore(lives: CollectionLives) {
  const random = new SeededRandom(7);
  const life = await lives.run(lives.open());
  for (let count = 0; count < 4; count++) {
    const closed = lives.nextSegment(random, 40);
    await lives.run(lives.seal(life, closed));
    lives.addPoint(random, closed);
  }
  for (let count = 0; count < 3; count++) lives.expireOldest();
  lives.host.disk.faults.capacityBytes = lives.host.disk.spaceBytes;
  const next = lives.nextSegment(random, 40);
  await expect(lives.run(lives.seal(life, next))).rejects.toThrow(RetryError);
  return { life, next };
}

async function expectCollected(marksBytes?: number): Promise<void> {
  const lives = new CollectionLives(7, MiB, marksBytes);
  const { life, next } = await fullStore(lives);
  await lives.run(lives.collect(life));
  expect(life.collection.figures.freedBytes).toBeGreaterThan(0);
  expect(life.collection.figures.reserveBytes).toBe(MiB);
  await lives.run(lives.seal(life, next));
  await lives.run(lives.check(life));
  await lives.run(lives.checkCollected(life));
}

test("fault 16: a collection on a full disk makes room in which sealing goes on", async () => {
  await expectCollected();
});

test("fault 16: so does a collection whose marks memory has no room for", async () => {
  await expectCollected(2 * marksPerSegmentBytes);
});
