/** A volume behind a whole NBD server, as its host sees it. */
import { describe, expect, test } from "vitest";
import { nbdBytesInFlightMax, nbdSmallReserveBytes } from "#src/core/nbd-limits.ts";
import { flag, request, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const ok = 0;
const io = 5;

async function serving() {
  const world = await VolumeWorld.opened();
  await world.warmUp();
  const server = await MemoryServer.serving(world.volume);
  const client = server.open("extended", ["base:allocation"]);
  return { world, server, client };
}

function write(cookie: number, offset: number, payload: Buffer, flags = 0): Buffer {
  return request("extended", {
    type: type.write,
    cookie: BigInt(cookie),
    offset,
    payload,
    flags: flags | flag.payload,
  });
}

test("what is written is read; one read from the socket is one batch for the appliance", async () => {
  const { world, client } = await serving();
  let commits = 0;
  const { current } = world.links;
  const commit = current?.commit.bind(current);
  if (current !== undefined) {
    current.commit = () => {
      commits++;
      commit?.();
    };
  }
  client.say(Buffer.concat([0, 1, 2, 3].map((at) => write(at, at * 1500, filled(1500, at + 1)))));
  expect(client.replies().map((reply) => reply.error)).toEqual([ok, ok, ok, ok]);
  expect(commits).toBe(1);
  client.say(request("extended", { type: type.read, cookie: 9n, offset: 0, length: 6_000 }));
  const [read] = client.replies(() => 6_000);
  expect(read?.data?.equals(Buffer.concat([1, 2, 3, 4].map((value) => filled(1500, value))))).toBe(true);
});

describe("while the appliance does not acknowledge", () => {
  test("the source is not changed and the host not answered; afterwards all goes on", async () => {
    const { world, client, server } = await serving();
    const before = world.source;
    world.links.acknowledgesAtOnce = false;
    client.say(Buffer.concat([0, 1, 2].map((at) => write(at, at * 4096, filled(4096, at + 1)))));
    await world.pass(10_000);
    expect([client.replies().length, world.source.equals(before)]).toEqual([0, true]);
    // Their payloads are with the appliance, and nowhere else.
    expect(server.server.heldBytes).toBe(0);
    world.links.current?.acknowledgeAll();
    expect(client.replies().map((reply) => [reply.cookie, reply.error])).toEqual([
      [0n, ok],
      [1n, ok],
      [2n, ok],
    ]);
    expect([0, 1, 2].map((at) => world.source[at * 4096])).toEqual([1, 2, 3]);
  });

  test("a client that goes away leaves nothing behind", async () => {
    const { world, client, server } = await serving();
    world.links.acknowledgesAtOnce = false;
    client.say(write(1, 0, filled(4096, 1)));
    client.connection.hangUp();
    await world.pass(10);
    world.links.current?.acknowledgeAll();
    client.replies();
    expect([server.server.connectionCount, server.server.heldBytes, world.links.current?.heldCount]).toEqual([0, 0, 0]);
    expect(world.source[0]).toBe(1);
  });
});

test("what waits for room is bounded by the server: it reads no more from its clients", async () => {
  const { world, client, server } = await serving();
  world.links.hasRoom = false;
  const payload = filled(1024 * 1024, 1);
  let heard = 0;
  let said = 0;
  for (let at = 0; at < 60 && heard === said; at++) {
    const bytes = write(at, (at % 7) * payload.length, payload);
    said += bytes.length;
    heard += client.say(bytes);
  }
  expect(heard).toBeLessThan(said);
  expect(server.server.heldBytes).toBeLessThanOrEqual(nbdBytesInFlightMax - nbdSmallReserveBytes);
  world.links.hasRoom = true;
  world.links.current?.receiver.roomAgain();
  await world.pass(10);
  expect(client.replies().length).toBeGreaterThan(15);
  expect(server.server.heldBytes).toBeLessThan(2 * payload.length);
});

test("a source that fails is an error for writers, not the end of the connection", async () => {
  const { world, client } = await serving();
  world.host.disk.failNext("write");
  client.say(write(1, 0, filled(4096, 1)));
  await world.pass(10);
  expect(client.replies()).toMatchObject([{ cookie: 1n, error: io }]);
  client.say(
    Buffer.concat([
      write(2, 4096, filled(4096, 1)),
      request("extended", { type: type.read, cookie: 3n, offset: 4096, length: 512 }),
    ]),
  );
  expect(client.replies(() => 512)).toMatchObject([
    { cookie: 2n, error: io },
    { cookie: 3n, error: ok },
  ]);
});
