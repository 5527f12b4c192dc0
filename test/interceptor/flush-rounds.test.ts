/** FLUSH and FUA: what must be durable where before they are answered. */
import { describe, expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { nbdError } from "#src/nbd/constants.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

async function opened(options: ConstructorParameters<typeof VolumeWorld>[0] = {}): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened(options);
  await world.warmUp();
  world.links.flushesAtOnce = false;
  world.links.flushCount = 0;
  return world;
}

function syncCount(world: VolumeWorld): number {
  return world.simulation.trace.lines.filter((line) => line.includes("sync done")).length;
}

function payFlushes(world: VolumeWorld): void {
  for (const done of world.links.current?.owedFlushes.splice(0) ?? []) done(null);
}

describe("a flush", () => {
  test("is answered when the appliance and the source both have made durable what was written", async () => {
    const world = await opened();
    world.write(0, payload);
    const source = world.host.disk.fileAt("/source");
    const flush = world.flush();
    await world.pass(10);
    expect([flush.error, source.settledCount]).toEqual([undefined, source.changeCount]);
    payFlushes(world);
    expect(flush.error).toBe(nbdError.ok);
  });

  test("waits for the source where the appliance is the faster one", async () => {
    const world = await opened();
    world.links.flushesAtOnce = true;
    world.write(0, payload);
    world.host.disk.stall(1_000);
    const flush = world.flush();
    await world.pass(900);
    expect(flush.error).toBeUndefined();
    await world.pass(200);
    expect(flush.error).toBe(nbdError.ok);
  });

  test("asks both at once", async () => {
    const world = await opened();
    world.write(0, payload);
    const before = syncCount(world);
    world.flush();
    expect(world.links.flushCount).toBe(1);
    await world.pass(10);
    expect(syncCount(world)).toBe(before + 1);
  });

  test("by the option is answered when the spool has it, whatever the source does", async () => {
    const world = await opened({ options: { flush: "spool" } });
    world.write(0, payload);
    world.host.disk.stall(1_000);
    const flush = world.flush();
    payFlushes(world);
    expect(flush.error).toBe(nbdError.ok);
  });

  test("for which there is nothing new asks nobody, and is answered", async () => {
    const world = await opened();
    world.write(0, payload);
    world.flush();
    payFlushes(world);
    await world.pass(10);
    const before = [world.links.flushCount, syncCount(world)];
    const flush = world.flush();
    expect([flush.error, world.links.flushCount, syncCount(world)]).toEqual([nbdError.ok, ...before]);
  });

  test("does not count as done what was written while the one before it was under way", async () => {
    const world = await opened();
    world.write(0, payload);
    const first = world.flush();
    world.write(blockBytes, payload);
    const second = world.flush();
    payFlushes(world);
    await world.pass(10);
    expect([first.error, second.error, world.links.flushCount]).toEqual([nbdError.ok, undefined, 2]);
    payFlushes(world);
    await world.pass(10);
    expect([second.error, world.links.durableCount]).toEqual([nbdError.ok, world.links.journal.length]);
  });

  test("fault 13: fails when the source's sync fails, and is never answered well by asking again", async () => {
    const world = await opened();
    world.links.flushesAtOnce = true;
    world.write(0, payload);
    world.host.disk.failNext("sync");
    const flush = world.flush();
    await world.pass(10);
    expect([flush.error, world.volume.status().state]).toEqual([nbdError.io, "fenced"]);
    expect(world.flush().error).toBe(nbdError.io);
    await world.pass(1_000);
    expect(world.flush().error).toBe(nbdError.io);
  });

  test("fails when the appliance's fails", async () => {
    const world = await opened();
    world.write(0, payload);
    const flush = world.flush();
    await world.pass(10);
    world.links.current?.owedFlushes[0]?.(new Error("the spool is broken"));
    await world.pass(10);
    expect([flush.error, world.volume.status().why]).toEqual([nbdError.io, "the spool is broken"]);
  });
});

describe("a write with FUA", () => {
  test("is in the source first, and answered when it is durable there and at the appliance", async () => {
    const world = await opened();
    const request = world.write(0, payload, true);
    expect([request.error, request.isWithoutPayload, world.source[0]]).toEqual([undefined, true, 7]);
    await world.pass(10);
    expect(request.error).toBeUndefined();
    payFlushes(world);
    expect([request.error, world.links.durableCount]).toEqual([nbdError.ok, world.links.journal.length]);
  });

  test("shares its syncs with the others of its batch", async () => {
    const world = await opened();
    const requests = [0, 1, 2].map((block) => world.write(block * blockBytes, payload, true));
    await world.pass(10);
    payFlushes(world);
    await world.pass(10);
    payFlushes(world);
    expect(requests.map((request) => request.error)).toEqual([0, 0, 0]);
    expect(world.links.flushCount).toBe(2);
  });

  test("waits for the acknowledgement before anything is synced for it", async () => {
    const world = await opened();
    world.links.acknowledgesAtOnce = false;
    world.write(0, payload, true);
    await world.pass(10);
    expect(world.links.flushCount).toBe(0);
    world.links.current?.acknowledgeAll();
    expect(world.links.flushCount).toBe(1);
  });
});
