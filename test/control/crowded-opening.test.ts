/** Where a volume that is being opened finds no room for what must be known of it, it is opened when there is some. */
import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { systemError } from "#test/sim/system-error.ts";
import { ResizeWorld } from "./resize-world.ts";

/** Until it is ended, no new file is begun for the region map. */
function crowd(world: ResizeWorld, code: string): { end(): void } {
  const { files } = world.host;
  const { create } = files;
  files.create = (path) => {
    if (path.includes("regions")) throw systemError(code, path);
    return create.call(files, path);
  };
  return {
    end: () => {
      files.create = create;
    },
  };
}

test.each(["ENOSPC", "EDQUOT", "EMFILE"])(
  "fault 15: a resize that meets %s goes on by itself when there is room, and says so until then",
  async (code) => {
    const world = await ResizeWorld.begun(1);
    await world.write(3);
    const crowded = crowd(world, code);
    await world.run(world.order(4 * MiB));
    expect(world.noted).toMatchObject({ sizeBytes: 2 * MiB, resizeTo: 4 * MiB });
    expect(world.facts).toMatchObject({ state: "opening", why: expect.stringContaining("it goes on by itself") });
    crowded.end();
    await simDriver(world.simulation.clock).until(() => world.noted?.resizeTo === undefined);
    world.became(4 * MiB);
    world.expectWhole();
    await world.write(3);
    await world.expectJournaled();
  },
);
