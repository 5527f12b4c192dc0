import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { ResizeWorld } from "./resize-world.ts";

/** A crash so many events after a resize was ordered, and after a loss of power another one while that is taken up again. */
async function crashedAt(events: number, hasPower: boolean): Promise<{ readonly isCarriedOutBefore: boolean }> {
  const world = await ResizeWorld.begun(events);
  let isCarriedOutBefore = true;
  for (const sizeBytes of [MiB, 4 * MiB]) {
    await world.write(4);
    let isDone = false;
    world.order(sizeBytes).then(
      () => {
        isDone = true;
      },
      () => {},
    );
    await pass(world, events);
    isCarriedOutBefore &&= isDone;
    world.crash(hasPower);
    if (!hasPower) {
      world.start().catch(() => {});
      await pass(world, world.random.integerBelow(60));
      world.crash(hasPower);
    }
    await world.start();
    expect(isDone ? [sizeBytes] : [world.sizeBytes, sizeBytes]).toContain(world.openBytes);
    world.became(world.openBytes);
    world.expectWhole();
    await world.write(3);
  }
  world.expectWhole();
  await world.expectJournaled();
  return { isCarriedOutBefore };
}

async function pass(world: ResizeWorld, events: number): Promise<void> {
  let count = 0;
  await world.simulation.clock.pass(20_000, () => ++count > events);
}

test.each([
  ["killed", true],
  ["cut off from power", false],
] as const)(
  "faults 9, 10 and 11: %s at any event of a resize, the next start leaves the volume with one size or the other, whole",
  async (_, hasPower) => {
    let events = 0;
    while (!(await crashedAt(events, hasPower)).isCarriedOutBefore) events++;
    expect(events).toBeGreaterThan(15);
  },
);

test("a resize that nothing disturbs is carried out, and so is the next one", async () => {
  const world = await ResizeWorld.begun(1);
  for (const sizeBytes of [6 * MiB, MiB, 3 * MiB, 2 * MiB + 4096]) {
    await world.write(5);
    await world.run(world.order(sizeBytes));
    world.became(sizeBytes);
    world.expectWhole();
  }
  await world.write(5);
  await world.expectJournaled();
});

test("a file that cannot be made longer keeps its size, and the volume too", async () => {
  const world = await ResizeWorld.begun(1);
  await world.write(3);
  const { files } = world.host;
  const { open } = files;
  files.open = (path, mode) => {
    const handle = open.call(files, path, mode);
    if (path === "/source" && mode === "readWrite") {
      handle.truncateNow = () => {
        throw Object.assign(new Error("EFBIG: file too large"), { code: "EFBIG" });
      };
    }
    return handle;
  };
  await expect(world.run(world.order(12 * MiB))).rejects.toThrow("/source could not be given 12582912 bytes");
  world.expectWhole();
  await world.write(3);
  await world.expectJournaled();
});
