/** Clients that keep the server waiting are dropped in time, and only they. */
import { describe, expect, test } from "vitest";
import { nbdHandshakeMs, nbdPatienceCheckMs, nbdStallMs } from "#src/core/nbd-limits.ts";
import { clientFlags, option, optionCode, request, styles, type } from "./client-bytes.ts";
import { MemoryServer } from "./memory-server.ts";
import { RawClient } from "./raw-client.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { serve, until } from "./served.ts";
import { SteppedClock } from "./stepped-clock.ts";

describe("fault 30: a handshake that takes its time", () => {
  test.each([
    ["that never begins", Buffer.alloc(0)],
    ["that stops in the client flags", clientFlags().subarray(0, 2)],
    ["that stops between options", Buffer.concat([clientFlags(), option(optionCode.list)])],
    ["that stops in an option", Buffer.concat([clientFlags(), option(optionCode.go, Buffer.alloc(3), 60_000)])],
    ["that stops in an option that is skipped", Buffer.concat([clientFlags(), option(99, Buffer.alloc(3), 900_000)])],
  ])("%s is dropped when its time is over", async (_what, bytes) => {
    const clock = new SteppedClock();
    const { server, path, events } = await serve(new ScriptedExport(), { clock });
    const client = await RawClient.greeted(path);
    client.send(bytes);
    await until(() => server.connectionCount === 1);
    clock.pass(nbdHandshakeMs);
    expect(events).toEqual([]);
    clock.pass(nbdPatienceCheckMs + 1);
    await client.untilEnd();
    await until(() => server.connectionCount === 0);
    expect(events).toMatchObject([{ kind: "dropped" }]);
  });

  test("that goes on a byte at a time gets no more time than any other", async () => {
    const { server, world, greet } = await talking();
    const client = greet();
    const bytes = Buffer.concat([clientFlags(), option(optionCode.info, Buffer.alloc(2000))]);
    for (let at = 0; server.connectionCount > 0; at++) {
      client.say(bytes.subarray(at, at + 1));
      world.advance(100);
      expect(world.nowMs).toBeLessThanOrEqual(nbdHandshakeMs + 2 * nbdPatienceCheckMs);
    }
    expect(world.nowMs).toBeGreaterThan(nbdHandshakeMs);
  });
});

describe.each(styles)("in %s style, a client", (style) => {
  const write = request(style, { type: type.write, cookie: 1n, payload: Buffer.alloc(100_000) });

  test.each([
    ["in a header", 10],
    ["at the end of a header", style === "extended" ? 32 : 28],
    ["in a payload", 5000],
    ["before a payload's last byte", write.length - 1],
  ])("that stops %s is dropped, and its memory comes back", async (_what, length) => {
    const { server, world, open } = await talking();
    open(style).say(write.subarray(0, length));
    world.advance(nbdStallMs);
    expect(server.connectionCount).toBe(1);
    world.advance(nbdPatienceCheckMs + 1);
    expect([server.connectionCount, server.heldBytes]).toEqual([0, 0]);
  });

  test("fault 31: that does not take its replies is dropped, and its memory comes back", async () => {
    const { server, world, open } = await talking();
    const client = open(style);
    client.connection.appetiteBytes = 1000;
    client.say(request(style, { type: type.read, cookie: 1n, length: 100_000 }));
    expect(server.heldBytes + client.connection.unsentBytes).toBeGreaterThan(0);
    world.advance(nbdStallMs + nbdPatienceCheckMs + 1);
    expect([server.connectionCount, server.heldBytes]).toEqual([0, 0]);
  });

  test("that has nothing to say, or waits for the export, is never dropped", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    const { server, world, open } = await talking(target);
    open(style);
    const waiting = open(style);
    waiting.say(request(style, { type: type.flush, cookie: 1n }));
    world.advance(100 * nbdStallMs);
    expect(server.connectionCount).toBe(2);
    target.release();
    expect(waiting.replies()).toMatchObject([{ cookie: 1n, error: 0 }]);
  });
});

async function talking(target = new ScriptedExport()) {
  const served = await MemoryServer.serving(target);
  return {
    server: served.server,
    world: served.world,
    open: served.open.bind(served),
    greet: served.greet.bind(served),
  };
}
