/** The appliance comes back without what it had acknowledged. */
import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import { gone, lose, opened } from "./lost-appliance.ts";
import { firstDifference } from "./random-host.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);
const tracking = { whenLost: "track", trackAfterMs: 3_000, copyBytesPerSecond: 1e12 } as const;

test("what the appliance lost is not overwritten by what it still has, at a start soon after", async () => {
  const world = await opened({ options: { copyBytesPerSecond: 1 } });
  const { links } = world;
  world.write(5 * MiB, filled(blockBytes, 1));
  const kept = links.journal.length;
  world.write(5 * MiB, filled(blockBytes, 2));
  const { current } = links;
  links.cutPower(kept);
  current?.lose(gone);
  await world.pass(500);
  const flush = world.flush();
  await world.pass(500);
  expect([flush.error, world.volume.status().state]).toEqual([0, "open"]);
  world.kill();
  await world.open();
  expect(world.source[5 * MiB]).toBe(2);
});

test.each(["a flush", "a write with FUA"])(
  "%s is answered at once in async, in sync when what the appliance lost is journaled anew",
  async (what) => {
    const world = await opened({ options: { copyBytesPerSecond: 10 * MiB } });
    const { links } = world;
    const ask = () => (what === "a flush" ? world.flush() : world.write(0, filled(blockBytes, 3), true));
    const kept = links.journal.length;
    world.write(5 * MiB, filled(blockBytes, 2));
    const { current } = links;
    links.cutPower(kept);
    current?.lose(gone);
    await world.pass(200);
    const inAsync = ask();
    await world.pass(20);
    links.isSync = true;
    const { flushRounds } = world.volume.status();
    const inSync = ask();
    await world.pass(100);
    expect(world.volume.status().copy).toBeDefined();
    // Nobody was told anything, so that nothing has moved for whoever looks how long hosts wait.
    expect(world.volume.status()).toMatchObject({ isFlushAwaited: true, isFlushHeld: true, flushRounds });
    expect([inAsync.error, inSync.error]).toEqual([0, undefined]);
    while (inSync.error === undefined) await world.pass(20);
    expect(inSync.error).toBe(0);
    const endAt = links.journal.findIndex((record) => record.type === recordType.resyncEnd);
    expect(links.durableCount).toBeGreaterThan(endAt);
    expect(endAt).toBeGreaterThan(kept);
    const later = ask();
    await world.pass(20);
    expect(later.error).toBe(0);
  },
);

test("flushes that wait for a resync are asked for anew when the appliance is lost once more", async () => {
  const world = await opened({ options: { copyBytesPerSecond: 10 * MiB } });
  const { links } = world;
  const kept = links.journal.length;
  world.write(5 * MiB, filled(blockBytes, 2));
  links.isSync = true;
  for (let round = 0; round < 2; round++) {
    const { current } = links;
    links.cutPower(Math.max(kept, links.durableCount));
    current?.lose(gone);
    await world.pass(300);
    const flush = world.flush();
    await world.pass(50);
    expect(flush.error).toBeUndefined();
    if (round === 0) continue;
    while (flush.error === undefined) await world.pass(10);
    expect([flush.error, world.volume.status().state]).toEqual([0, "open"]);
    expect(firstDifference(links.replay(world.initial), world.source)).toBeUndefined();
  }
});

test("an appliance that was made anew gets all regions", async () => {
  const world = await opened({ options: { copyBytesPerSecond: 1e12 } });
  world.links.journal.length = 0;
  world.links.lose(gone);
  await world.pass(500);
  while (world.volume.status().copy !== undefined) await world.pass(20);
  expect(firstDifference(world.links.replay(Buffer.alloc(world.sizeBytes)), world.source)).toBeUndefined();
});

test("an appliance that was made anew meanwhile gets all regions", async () => {
  const world = await VolumeWorld.opened({ options: tracking, sizeBytes: 40 * MiB });
  world.write(0, payload);
  await world.pass(50);
  lose(world, 8);
  await world.pass(4_000);
  expect(world.volume.status().state).toBe("tracking");
  world.links.journal.length = 0;
  while (world.volume.status().state !== "open") await world.pass(100);
  while (world.volume.status().copy !== undefined) await world.pass(20);
  expect(firstDifference(world.links.replay(Buffer.alloc(world.sizeBytes)), world.source)).toBeUndefined();
});

test("a flush that waited for a resync is answered when the volume goes on without the appliance", async () => {
  const world = await opened({ options: { ...tracking, copyBytesPerSecond: 1 } });
  const { links } = world;
  const kept = links.journal.length;
  world.write(5 * MiB, payload);
  links.isSync = true;
  const { current } = links;
  links.cutPower(kept);
  current?.lose(gone);
  await world.pass(300);
  const flush = world.flush();
  await world.pass(300);
  expect(flush.error).toBeUndefined();
  lose(world, 1_000);
  await world.pass(5_000);
  expect([flush.error, world.volume.status().state]).toEqual([0, "tracking"]);
});
