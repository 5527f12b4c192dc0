/** The appliance has no room: the volume goes on without it at once, whatever was chosen for its absence. */
import { expect, test } from "vitest";
import { OverflowError, ReconnectError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { nbdError } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { firstDifference } from "./random-host.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);
const overflow = new OverflowError("the spool is full");

/** As long as it is set, the appliance refuses everybody. */
function refuse(world: VolumeWorld, isRefusing: boolean): void {
  world.links.attachErrors = isRefusing ? new Array(10_000).fill(overflow) : [];
}

async function overflowed(): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened({ options: { whenLost: "stall" } });
  await world.warmUp();
  world.links.acknowledgesAtOnce = false;
  const waiting = world.write(0, payload);
  world.links.acknowledgesAtOnce = true;
  refuse(world, true);
  world.links.lose(overflow);
  await world.pass(20);
  expect([waiting.error, world.write(MiB, payload).error]).toEqual([nbdError.ok, nbdError.ok]);
  expect(world.volume.status()).toMatchObject({ state: "tracking", why: "the spool is full" });
  return world;
}

test("writers do not wait, and it comes back by itself with a resync of what was marked", async () => {
  const world = await overflowed();
  const before = world.links.journal.length;
  refuse(world, false);
  await world.pass(10_000);
  expect(world.volume.status()).toMatchObject({ state: "open" });
  expect(world.volume.status().copy).toBeUndefined();
  expect(world.links.journal[before]?.type).toBe(recordType.resyncBegin);
  expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
});

test("the appliance is told when the volume was first written to without it, also by one that was killed meanwhile", async () => {
  const world = await overflowed();
  const trackingMicros = Math.round(world.host.clock.wallMs() * 1000);
  await world.pass(60_000);
  const sinceMicros = world.links.said.unprotectedMicros ?? 0;
  expect([sinceMicros > 0, sinceMicros <= trackingMicros]).toEqual([true, true]);
  world.kill();
  await world.open();
  refuse(world, false);
  await world.pass(10_000);
  expect(world.links.said).toMatchObject({ isCopyDue: true, unprotectedMicros: sinceMicros });
  expect(world.volume.status().copy).toBeUndefined();
  world.links.lose(new ReconnectError("it was killed"));
  await world.pass(1_000);
  expect(world.links.said).toEqual({ isCopyDue: false });
});

test("what is copied and not noted as that yet is told by its last record", async () => {
  const world = await overflowed();
  refuse(world, false);
  world.links.flushesAtOnce = false;
  await world.pass(10_000);
  const end = world.links.journal.findLast(({ type }) => type === recordType.resyncEnd);
  expect(end).toBeDefined();
  world.links.lose(new ReconnectError("it was killed"));
  await world.pass(1_000);
  expect(world.links.said).toMatchObject({ isCopyDue: true, copyEndOrdinal: end?.ordinal });
});

test("an appliance that was only away, and comes back without room, is not waited for", async () => {
  const world = await VolumeWorld.opened({ options: { whenLost: "stall" } });
  await world.warmUp();
  refuse(world, true);
  world.links.lose(new ReconnectError("it was killed"));
  await world.pass(50);
  expect(world.volume.status().state).toBe("tracking");
});

test("where it comes only to go again, no more is copied than what was marked", async () => {
  const world = await VolumeWorld.opened({ sizeBytes: 40 * MiB, options: { whenLost: "stall", checkpointMs: 100 } });
  world.write(0, payload);
  await world.pass(1_000);
  refuse(world, true);
  world.links.lose(overflow);
  await world.pass(20);
  for (let at = 0; at < 20; at++) world.write(at * blockBytes, payload);
  await world.pass(20);
  refuse(world, false);
  while (world.links.current === undefined) await world.pass(0.25);
  expect(world.volume.status().state).toBe("tracking");
  world.links.lose(new ReconnectError("it was killed"));
  const before = world.links.journal.length;
  await world.pass(10_000);
  expect(world.volume.status()).toMatchObject({ state: "open" });
  expect(world.volume.status().copy).toBeUndefined();
  expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  const copied = world.links.journal.slice(before).filter((record) => record.blockCount === 256);
  expect(copied.length).toBeLessThan(25);
});

test("killed while it went on so, it opens and goes on so, and comes back with all that was written", async () => {
  const world = await overflowed();
  world.kill();
  await world.open();
  expect(world.volume.status()).toMatchObject({ state: "tracking", why: "the spool is full" });
  expect(world.write(3 * MiB, payload).error).toBe(nbdError.ok);
  refuse(world, false);
  await world.pass(15_000);
  expect(world.volume.status()).toMatchObject({ state: "open" });
  expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
});

test("a volume that was protected until the end waits for the appliance, which may have what its source lacks", async () => {
  const world = await VolumeWorld.opened();
  world.write(0, payload);
  await world.pass(20);
  world.kill();
  world.links.attachErrors = [overflow];
  await expect(world.open()).rejects.toThrow("the spool is full");
});

test.each([false, true])(
  "one that gets it, and is let go of for want of room, opens and goes on so (first copy: %s)",
  async (hasBase) => {
    const world = await VolumeWorld.opened({ hasBase });
    await world.warmUp();
    world.write(0, payload);
    world.kill();
    world.host.disk.fileAt("/source").current.write(filled(blockBytes, 9), 0, blockBytes, 0);
    const attach = world.links.attach.bind(world.links);
    world.links.attach = async (...asked) => {
      world.links.attach = attach;
      const attachment = await attach(...asked);
      refuse(world, true);
      world.links.lose(overflow);
      return attachment;
    };
    await world.open();
    expect(world.links.said).toMatchObject({ needsRedo: true });
    await world.pass(100);
    expect(world.volume.status()).toMatchObject({ state: "tracking", why: "the spool is full" });
    expect(world.source.subarray(0, blockBytes)).toEqual(payload);
    expect(world.write(3 * MiB, payload).error).toBe(nbdError.ok);
    refuse(world, false);
    await world.pass(30_000);
    expect(world.links.said.needsRedo).toBeUndefined();
    expect(world.volume.status()).toMatchObject({ state: "open", baseMissing: false });
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  },
);

test("one that finds room again at once copies what it had to copy all the same", async () => {
  const world = await VolumeWorld.opened({ hasBase: true });
  world.kill();
  loseOnce(world);
  await world.open();
  expect(world.volume.status()).toMatchObject({ state: "stalled", baseMissing: true });
  await world.pass(30_000);
  expect(world.volume.status()).toMatchObject({ state: "open", baseMissing: false });
  expect(firstDifference(world.links.replay(Buffer.alloc(world.sizeBytes)), world.source)).toBeUndefined();
});

/** The next attachment is lost before whoever asked for it has looked at it. */
function loseOnce({ links }: VolumeWorld): void {
  const attach = links.attach.bind(links);
  links.attach = async (...asked) => {
    links.attach = attach;
    const attachment = await attach(...asked);
    links.lose(overflow);
    return attachment;
  };
}
