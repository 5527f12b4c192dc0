/** A disk without room for the region map: on some file systems what is written over takes room as well. */
import { describe, expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { systemError } from "#test/sim/system-error.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { filled, VolumeWorld, type WorldOptions } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

/** Whose region map has room as long as the test says so. */
class TightWorld extends VolumeWorld {
  hasRoom = true;

  constructor(options: WorldOptions = {}) {
    super(options);
    const { files } = this.host;
    const open = files.open.bind(files);
    files.open = (path, mode) => {
      const handle = open(path, mode);
      if (path !== "/volume/regions") return handle;
      const write = handle.writeNow.bind(handle);
      handle.writeNow = (buffer, start, lengthBytes, position) => {
        // Some of it may have fitted.
        if (!this.hasRoom) write(buffer, start, 512, position);
        if (!this.hasRoom) throw systemError("EDQUOT", path);
        write(buffer, start, lengthBytes, position);
      };
      return handle;
    };
  }
}

async function opened(): Promise<TightWorld> {
  const world = new TightWorld({ sizeBytes: 64 * MiB, isSparse: true });
  await world.open();
  return world;
}

describe("fault 15: a region map without room", () => {
  test("makes writers wait and nobody be fenced, says so, and goes on by itself", async () => {
    const world = await opened();
    world.write(0, world.initial.subarray(0, blockBytes));
    await world.pass(50);
    world.hasRoom = false;
    const waiting = world.write(60 * MiB, payload);
    await world.pass(2_000);
    const later = world.write(0, payload);
    expect([waiting.error, later.error]).toEqual([undefined, undefined]);
    expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
    expect(world.volume.status()).toMatchObject({
      state: "full",
      why: expect.stringMatching(/region map \/volume\/regions cannot be written for want of room.*by itself/),
    });
    world.hasRoom = true;
    await world.pass(500);
    expect([waiting.error, later.error, world.volume.status().state]).toEqual([nbdError.ok, nbdError.ok, "open"]);
    expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
  });

  test("keeps no volume from its end", async () => {
    const world = await opened();
    world.hasRoom = false;
    const waiting = world.write(60 * MiB, payload);
    await world.pass(1_000);
    await world.stop();
    expect(waiting.error).toBe(nbdError.shutdown);
    world.hasRoom = true;
    await world.open();
    expect(world.volume.status().state).toBe("open");
  });

  test("is told to who opens the volume, and tries again", async () => {
    const world = new TightWorld();
    world.hasRoom = false;
    const error = await world.open().catch((why: unknown) => why);
    expect(error).toBeInstanceOf(RetryError);
    expect((error as Error).message).toContain("the region map /volume/regions cannot be written for want of room");
    world.hasRoom = true;
    await world.open();
    expect(world.volume.status().state).toBe("open");
  });

  test.each([0, 1, 2, 3])(
    "whenever that is, journal and source end the same, over losses of power: seed %d",
    async (seed) => {
      const world = new TightWorld({ seed, options: { checkpointMs: 200 } });
      await world.open();
      const random = world.simulation.random.fork("host");
      let host = new RandomHost(world, random, 4 * MiB);
      for (let round = 0; round < 150; round++) {
        if (random.chance(0.2)) world.hasRoom = random.chance(0.5);
        host.act();
        await world.pass(random.between(0, 8));
        if (!random.chance(0.02)) continue;
        world.cutPower();
        world.hasRoom = true;
        await world.open();
        host = new RandomHost(world, random, 4 * MiB);
      }
      world.hasRoom = true;
      const isSettled = () => host.isAnswered && world.volume.status().copy === undefined;
      for (let round = 0; round < 200 && !isSettled(); round++) await world.pass(100);
      await world.pass(500);
      expect([isSettled(), world.volume.status().state]).toEqual([true, "open"]);
      expect(firstDifference(world.links.replay(world.initial), world.source)).toBeUndefined();
    },
  );
});
