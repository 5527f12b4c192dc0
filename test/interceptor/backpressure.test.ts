/** Writers are slowed, and stopped, and go on; reads never. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

async function opened(): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened();
  await world.warmUp();
  return world;
}

/** How many of so many writes are answered within a time, by the pressure. */
async function answeredAt(pressure: number, count: number, durationMs: number): Promise<number> {
  const world = await opened();
  world.links.pressure = pressure;
  const requests = Array.from({ length: count }, (_, block) => world.write(block * blockBytes, payload));
  await world.pass(durationMs);
  return requests.filter((request) => request.error === nbdError.ok).length;
}

test("the higher the pressure, the slower writers are", async () => {
  const answered = [];
  for (const pressure of [0.4, 0.7, 0.85, 0.95]) answered.push(await answeredAt(pressure, 400, 50));
  expect(answered[0]).toBe(400);
  for (let index = 1; index < answered.length; index++) {
    expect(answered[index]).toBeGreaterThan(0);
    expect(answered[index]).toBeLessThan(answered[index - 1] as number);
  }
});

test("at full pressure nothing is added until it has fallen; reads go on", async () => {
  const world = await opened();
  world.links.pressure = 1;
  const count = world.links.journal.length;
  const write = world.write(0, payload);
  await world.pass(10_000);
  expect([write.error, write.isKept, world.links.journal.length]).toEqual([undefined, true, count]);
  expect(world.volume.status().isWaiting).toBe(true);
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
  world.links.pressure = 0.2;
  world.links.current?.receiver.roomAgain();
  expect([write.error, world.source[0]]).toEqual([nbdError.ok, 7]);
});

test("without room a long write waits where it is, and ends as one", async () => {
  const world = await opened();
  const long = filled(3 * 1024 * 1024, 9);
  world.links.hasRoom = false;
  const write = world.write(0, long);
  const behind = world.write(0, payload);
  await world.pass(100);
  expect([write.error, behind.error]).toEqual([undefined, undefined]);
  world.links.hasRoom = true;
  world.links.current?.receiver.roomAgain();
  expect([write.error, behind.error, world.source[0], world.source[blockBytes]]).toEqual([0, 0, 7, 9]);
});

test("what waited with its payload gives it back as soon as it is added", async () => {
  const world = await opened();
  world.links.hasRoom = false;
  world.links.acknowledgesAtOnce = false;
  const write = world.write(0, payload);
  expect(write.isWithoutPayload).toBe(false);
  world.links.hasRoom = true;
  world.links.current?.receiver.roomAgain();
  expect([write.error, write.isWithoutPayload]).toEqual([undefined, true]);
});

test("room that comes while the link is at work is used afterwards", async () => {
  const world = await opened();
  world.links.hasRoom = false;
  const waiting = world.write(0, payload);
  world.links.hasRoom = true;
  const { links } = world;
  const link = links.current;
  const acknowledge = link?.acknowledge.bind(link);
  if (link !== undefined) {
    link.acknowledge = (ordinal) => {
      link.receiver.roomAgain();
      acknowledge?.(ordinal);
    };
  }
  const next = world.write(blockBytes, payload);
  expect([waiting.error, next.error]).toEqual([0, 0]);
});
