/** Very many clients at once, most of them a burden. */
import { afterEach, describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { nbdConnectionCountMax } from "#src/core/nbd-limits.ts";
import { request, type } from "./client-bytes.ts";
import { RawClient } from "./raw-client.ts";
import { ServerProcess } from "./server-process.ts";

const crowdCount = 1000;
/** For a thousand clients that ask for thousands of MiB. */
const grownBytesMax = 192 * MiB;
const crowd: RawClient[] = [];

afterEach(() => {
  for (const client of crowd.splice(0)) client.hangUp();
});

/** What one of a thousand does to be a burden; the client is in the transmission phase. */
const burdens: readonly [string, (client: RawClient, index: number) => void][] = [
  [
    "begin a request and stop",
    (client, index) =>
      client.send(
        request("simple", { type: type.write, cookie: 1n, payload: Buffer.alloc(4096) }).subarray(0, 1 + index),
      ),
  ],
  [
    "ask for much and read nothing",
    (client) => {
      client.stopReading();
      for (let count = 0; count < 40; count++) client.ask({ type: type.read, cookie: 1n, length: 256 * 1024 });
    },
  ],
  [
    "send many requests at once and read nothing",
    (client) => {
      client.stopReading();
      client.send(
        Buffer.concat(new Array<Buffer>(5000).fill(request("simple", { type: type.read, cookie: 1n, length: 4096 }))),
      );
    },
  ],
];

async function comes(server: ServerProcess): Promise<RawClient> {
  const client = await RawClient.open(server.path);
  crowd.push(client);
  return client;
}

async function servesOn(client: RawClient): Promise<void> {
  const payload = Buffer.alloc(20_000, "still here");
  expect(await client.asked({ type: type.write, cookie: 2n, offset: 5 * MiB, payload })).toMatchObject({ error: 0 });
  const reply = await client.asked({ type: type.read, cookie: 3n, offset: 5 * MiB, length: payload.length });
  expect(reply.data?.equals(payload)).toBe(true);
}

describe("fault 37: a thousand clients", () => {
  test.each(burdens)(
    "that %s: another is served, memory stays bounded, and nothing stays behind",
    async (_what, burden) => {
      const server = await ServerProcess.start(64 * MiB);
      const other = await comes(server);
      await servesOn(other);
      const descriptorCount = await server.descriptorCount();
      const idleBytes = await server.residentBytes("most");
      for (let index = 0; index < crowdCount; index++) {
        burden(await comes(server), index);
      }
      for (let count = 0; count < 10; count++) await servesOn(other);
      expect((await server.residentBytes("most")) - idleBytes).toBeLessThan(grownBytesMax);
      for (const client of crowd.splice(1)) client.hangUp();
      while ((await server.descriptorCount()) > descriptorCount) await servesOn(other);
      await servesOn(other);
    },
  );
});

describe("fault 37: more clients than may be", () => {
  test("are hung up on, and the others are served", async () => {
    const server = await ServerProcess.start(64 * MiB);
    const other = await comes(server);
    for (let count = 1; count < nbdConnectionCountMax; count++) crowd.push(await RawClient.greeted(server.path));
    const late = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server.path)));
    await Promise.all(late.map((client) => client.untilEnd()));
    await servesOn(other);
    crowd.pop()?.hangUp();
    await servesOn(other);
    expect(server.isRunning).toBe(true);
  });
});
