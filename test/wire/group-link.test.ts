/** The two ends of a group's link against each other. */
import { expect, test } from "vitest";
import { piecesOf } from "#test/contract/socket-pair.ts";
import { groupWorld, someHello, worldThatIsUp } from "./group-world.ts";

test("the remote is told who connects, and the local appliance where the remote is", async () => {
  const world = await groupWorld();
  world.sessions.welcome = { received: 30, durable: 20, stored: 10, epoch: 2, bootId: "abc" };
  world.client.start();
  await world.driver.until(() => world.client.isUp);
  expect(world.sessions.last.hello).toEqual(someHello);
  expect(world.owner.welcomes).toEqual([{ received: 30, durable: 20, stored: 10, epoch: 2, bootId: "abc" }]);
});

test("batches arrive as they were shipped, in their order", async () => {
  const world = await worldThatIsUp();
  const pieces = piecesOf(3, [512, 70_000, 1024, 300_000, 2_000_000, 512, 4096]);
  let count = 0;
  const shipOn = (): void => {
    while (count < pieces.length && world.client.mayShipBytes > 0) {
      const piece = pieces[count++] as Buffer;
      world.client.ship(piece, 0, piece.length);
    }
  };
  world.owner.onMayShip = shipOn;
  shipOn();
  await world.driver.until(() => world.sessions.last.batchBodies.length === pieces.length);
  expect(world.sessions.last.bytes.equals(Buffer.concat(pieces))).toBe(true);
  expect(world.owner.downs).toEqual([]);
});
