/** What becomes of an aggregate whose blocks could not be read back from the spool, where it works a moment later. */
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { connected, writeOneByOne } from "./shipping-world.ts";

test("what could not be read back once is not left out when the link goes on", async () => {
  const world = await connected();
  world.clear(2, 50, 4).commit();
  writeOneByOne(world, [1, 3, 5]);
  const { spool } = world;
  const readPayload = spool.readPayload.bind(spool);
  let readCount = 0;
  spool.readPayload = (...range) => {
    if (++readCount === 2) throw new StopError("one read has failed");
    readPayload(...range);
  };
  await world.pass(2000);
  expect(world.failures).toMatchObject([{ message: "one read has failed" }]);
  world.shipping.hurry();
  world.remote.mayGoOn();
  await world.pass(2000);
  expect(world.remote.events).toEqual([]);
  expect(world.failures.length).toBe(1);
  world.cut();
  world.connect();
  await world.pass(2000);
  expect(world.remote.events).toEqual(["1..4 as one"]);
});
