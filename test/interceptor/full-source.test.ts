/** A source that has no room: nobody is fenced for it, and nothing that was journaled is lost. */
import { describe, expect, test } from "vitest";
import { OverflowError } from "#src/core/errors.ts";
import { blockBytes, MiB, sourceFullRetryMs } from "#src/core/limits.ts";
import type { VolumeOptions } from "#src/interceptor/volume-options.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

interface FullWorld extends VolumeWorld {
  /** Whether the source has room. */
  room: (hasRoom: boolean) => void;
}

function withRoom(world: VolumeWorld, isFast = true): FullWorld {
  let hasRoom = true;
  let current: ReluctantSource | undefined;
  world.wrap = (source) => {
    current = new ReluctantSource(source, () => isFast);
    current.hasRoom = hasRoom;
    return current;
  };
  const room = (has: boolean): void => {
    hasRoom = has;
    if (current !== undefined) current.hasRoom = has;
  };
  return Object.assign(world, { room });
}

async function opened(isFast = true, options: Partial<VolumeOptions> = {}): Promise<FullWorld> {
  const world = withRoom(new VolumeWorld({ options }), isFast);
  await world.open();
  await world.warmUp();
  return world;
}

describe.each([true, false])("fault 15: a source without room (written at once: %s)", (isFast) => {
  test("gets what is in the order when there is room again; until then later changes wait, and reads go on", async () => {
    const world = await opened(isFast);
    world.room(false);
    const caught = world.write(0, payload);
    await world.pass(20);
    expect(world.volume.status()).toMatchObject({ state: "full", why: expect.stringContaining("full") });
    const { length } = world.links.journal;
    const later = world.write(MiB, payload);
    const flush = world.flush();
    await world.pass(2_000);
    expect([caught.error, later.error, flush.error]).toEqual([undefined, undefined, nbdError.ok]);
    expect(world.links.journal).toHaveLength(length);
    expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
    world.room(true);
    await world.pass(sourceFullRetryMs + 50);
    expect([caught.error, later.error, world.volume.status().state]).toEqual([nbdError.ok, nbdError.ok, "open"]);
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  });

  test("with the option to refuse, later writes are told so before they are in the order, and trims are taken", async () => {
    const world = await opened(isFast, { whenFull: "refuse" });
    world.room(false);
    const caught = world.write(0, payload);
    await world.pass(20);
    const { length } = world.links.journal;
    const answers = [world.write(MiB, payload).error, world.zero(MiB, blockBytes, true).error];
    expect(answers).toEqual([nbdError.noSpace, nbdError.noSpace]);
    expect(world.links.journal).toHaveLength(length);
    const trim = world.trim(2 * MiB, MiB);
    await world.pass(20);
    expect(trim.error).toBe(nbdError.ok);
    world.room(true);
    await world.pass(sourceFullRetryMs + 50);
    const again = world.write(MiB, payload);
    await world.pass(50);
    expect([caught.error, again.error]).toEqual([nbdError.ok, nbdError.ok]);
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  });

  test("keeps writes over the same place in their order", async () => {
    const world = await opened(isFast, { whenFull: "refuse" });
    world.links.acknowledgesAtOnce = false;
    const writes = [1, 2, 3].map((value) => world.write(0, filled(blockBytes, value)));
    world.room(false);
    world.links.current?.acknowledgeAll();
    await world.pass(1_000);
    world.room(true);
    await world.pass(sourceFullRetryMs + 50);
    expect(writes.map((write) => write.error)).toEqual([0, 0, 0]);
    expect(world.source[0]).toBe(3);
  });
});

test("fault 15: killed while the source is full, the volume opens when there is room, with all that was journaled", async () => {
  const world = await opened();
  world.room(false);
  world.write(0, payload);
  await world.pass(20);
  world.kill();
  await expect(world.open()).rejects.toThrow("full");
  world.links.current = undefined;
  world.room(true);
  await world.open();
  expect(world.source.subarray(0, blockBytes).equals(payload)).toBe(true);
});

test("fault 15: at its end while it comes back to its appliance, and waits for room, the volume lets go of it", async () => {
  const world = await opened(true, { whenLost: "stall" });
  world.links.attachErrors = new Array(3).fill(new OverflowError("the spool is full"));
  world.links.lose(new OverflowError("the spool is full"));
  await world.pass(20);
  expect(world.volume.status().state).toBe("tracking");
  world.room(false);
  world.write(0, payload);
  while (world.links.current === undefined) await world.pass(10);
  await world.pass(1_000);
  expect(world.volume.status().state).toBe("tracking");
  await world.stop();
  expect(world.links.current).toBeUndefined();
});

test.each(Array.from({ length: 8 }, (_, seed) => seed))(
  "fault 15: whenever there is no room for a while, journal and source end the same: seed %d",
  async (seed) => {
    const world = withRoom(new VolumeWorld({ seed, options: { checkpointMs: 200 } }));
    await world.open();
    const random = world.simulation.random.fork("host");
    const host = new RandomHost(world, random, 4 * MiB);
    for (let round = 0; round < 200; round++) {
      if (random.chance(0.2)) world.room(random.chance(0.5));
      host.act();
      await world.pass(random.between(0, 8));
    }
    world.room(true);
    for (let round = 0; round < 200 && !host.isAnswered; round++) await world.pass(100);
    expect(host.isAnswered).toBe(true);
    expect(world.volume.status().state).toBe("open");
    expect(firstDifference(world.links.replay(world.initial), world.source), `seed ${seed}`).toBeUndefined();
  },
);
