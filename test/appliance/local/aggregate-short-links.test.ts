/** Links that do not last for a large aggregate, of which the remote keeps all or nothing. */
import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { ShippingWorld } from "./shipping-world.ts";

const blocksOfBatch = 128;

test("a link that lasts for a little only brings a little each time, and more again when it lasts", async () => {
  const world = await ShippingWorld.make();
  const commitAll = (batchCount: number): void => {
    for (let batch = 0; batch < batchCount; batch++) {
      const values = Array.from({ length: blocksOfBatch }, (_, index) => batch * 1000 + index);
      world.write(batch * blocksOfBatch, values).commit();
    }
  };
  commitAll(48);
  world.remote.isGenerous = false;
  let connections = 0;
  for (; connections < 60 && world.remote.received < world.spool.lastSeq; connections++) {
    world.remote.creditBytes = 3 * MiB;
    world.connect();
    await world.pass(2000);
    world.cut();
  }
  expect([world.remote.received, world.failures]).toEqual([world.spool.lastSeq, []]);
  expect(connections).toBeGreaterThan(8);

  world.remote.isGenerous = true;
  world.remote.creditBytes = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 6; count++) {
    commitAll(1);
    world.connect();
    await world.arrive();
    world.cut();
  }
  commitAll(48);
  world.remote.events.length = 0;
  world.connect();
  await world.arrive();
  expect(world.remote.events).toHaveLength(1);
});
