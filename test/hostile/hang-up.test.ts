/** A client may vanish after any byte. Nothing of it stays, and nobody else notices. */
import { describe, expect, test } from "vitest";
import { opening, request, type Style, statusPayload, styles, type } from "./client-bytes.ts";
import { MemoryServer } from "./memory-server.ts";
import { RawClient } from "./raw-client.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { serve, until } from "./served.ts";

const contexts = ["base:allocation"];

function goodSession(style: Style): Buffer {
  const asksStatus = style !== "simple";
  return Buffer.concat([
    ...opening(style, asksStatus ? contexts : []),
    request(style, { type: type.write, cookie: 1n, offset: 1, payload: Buffer.alloc(200, 1) }),
    request(style, { type: type.read, cookie: 2n, length: 300 }),
    ...(asksStatus ? [request(style, { type: type.status, cookie: 3n, length: 4096 })] : []),
    ...(style === "extended"
      ? [request(style, { type: type.status, cookie: 4n, payload: statusPayload(512, [1]) })]
      : []),
    request(style, { type: type.write, cookie: 5n, offset: 2 ** 40, payload: Buffer.alloc(100) }),
    request(style, { type: type.flush, cookie: 6n }),
    request(style, { type: type.disconnect, cookie: 7n }),
  ]);
}

describe.each(styles)("faults 30 and 31: a hang-up in %s style", (style) => {
  const session = goodSession(style);

  test.each([
    ["at once", false],
    ["with requests under way", true],
  ])("after every byte, %s, leaves nothing", async (_what, keeps) => {
    const target = new ScriptedExport();
    target.keeps = () => keeps;
    const { server, sockets, world } = await MemoryServer.serving(target);
    for (let length = 0; length <= session.length; length++) {
      for (const isReset of [false, true]) {
        const connection = sockets.open();
        connection.deliver(session.subarray(0, length));
        connection.hangUp(isReset ? new Error("reset") : undefined);
        world.advance(0);
        target.release();
        world.advance(0);
        expect([server.connectionCount, server.heldBytes], `after ${length} bytes`).toEqual([0, 0]);
      }
    }
  });

  test("on a real socket leaves nothing, and another client goes on", async () => {
    const { server, path } = await serve(new ScriptedExport());
    const other = await RawClient.open(path);
    for (let length = 0; length <= session.length; length += 7) {
      const client = await RawClient.connect(path);
      client.send(session.subarray(0, length));
      if (length % 2 === 0) await client.take(18);
      client.hangUp();
    }
    expect(await other.asked({ type: type.flush, cookie: 9n })).toMatchObject({ error: 0 });
    await until(() => server.connectionCount === 1);
    expect(server.heldBytes).toBe(0);
  });
});

test("a client that stops sending is answered what it asked, then left", async () => {
  const target = new ScriptedExport();
  target.keeps = () => true;
  const { server, path } = await serve(target);
  const client = await RawClient.open(path);
  client.ask({ type: type.read, cookie: 1n, length: 512 });
  await until(() => target.kept.length === 1);
  client.finish();
  target.release();
  expect(await client.reply()).toMatchObject({ cookie: 1n, error: 0 });
  await client.untilEnd();
  await until(() => server.connectionCount === 0);
});
