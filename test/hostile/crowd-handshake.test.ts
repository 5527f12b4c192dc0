/** Very many clients at once that never come to the end of the handshake. */
import { afterEach, describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { clientFlags, goData, option, optionCode, type } from "./client-bytes.ts";
import { RawClient } from "./raw-client.ts";
import { ServerProcess } from "./server-process.ts";

const crowd: RawClient[] = [];
afterEach(() => {
  for (const client of crowd.splice(0)) client.hangUp();
});

const burdens: readonly [string, Buffer][] = [
  ["an option that does not end", Buffer.concat([clientFlags(), option(99, Buffer.alloc(60_000), 65_536)])],
  [
    "many options and silence",
    Buffer.concat([clientFlags(), ...Array.from({ length: 6 }, () => option(99, Buffer.alloc(60_000)))]),
  ],
  [
    "options whose answers they do not read",
    Buffer.concat([
      clientFlags(),
      ...Array.from({ length: 96 }, () => option(optionCode.info, goData(Buffer.alloc(4000, 0xff)))),
    ]),
  ],
];
/** 900 clients of the second and the third kind send 324 and 348 MB. */
const grownBytesMax = 192 * MiB;

describe("faults 30 and 37: a thousand clients in the handshake", () => {
  test.each(burdens)("with %s: another is served, and memory stays bounded", async (_, bytes) => {
    const server = await ServerProcess.start(64 * MiB);
    const idleBytes = await server.residentBytes("most");
    const other = await RawClient.open(server.path);
    crowd.push(other);
    for (let index = 0; index < 900; index++) {
      const client = await RawClient.greeted(server.path);
      client.stopReading();
      crowd.push(client);
      client.send(bytes);
      if (index % 50 === 0) await other.asked({ type: type.flush, cookie: 3n });
    }
    for (let count = 0; count < 10; count++)
      expect(await other.asked({ type: type.flush, cookie: 3n })).toMatchObject({ error: 0 });
    expect((await server.residentBytes("most")) - idleBytes).toBeLessThan(grownBytesMax);
  });
});
