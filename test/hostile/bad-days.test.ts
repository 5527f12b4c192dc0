/** What once went wrong: replies nobody takes, goodbyes nobody follows up, headers in pieces, resets at the wrong moment. */
import { describe, expect, test } from "vitest";
import { KiB, MiB } from "#src/core/limits.ts";
import { nbdBytesInFlightMax, nbdPayloadBytesMax, nbdStallMs } from "#src/core/nbd-limits.ts";
import { clientFlags, goData, option, optionCode, request, type } from "./client-bytes.ts";
import { MemoryServer } from "./memory-server.ts";
import { RawClient } from "./raw-client.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { serve, turn, until } from "./served.ts";
import { SteppedClock } from "./stepped-clock.ts";

describe("fault 30: the handshake on bad days", () => {
  test("says why in no more than 4096 bytes", async () => {
    const { path } = await serve(new ScriptedExport());
    const client = await RawClient.greeted(path);
    client.send(Buffer.concat([clientFlags(), option(optionCode.go, goData(Buffer.alloc(4096, 0xff)))]));
    expect((await client.optionReply()).data.length).toBeLessThanOrEqual(4096);
  });

  test("that has ended keeps nothing of what a client goes on to send", async () => {
    const world = await MemoryServer.serving(new ScriptedExport());
    const client = world.greet();
    client.say(Buffer.concat([clientFlags(), Buffer.alloc(16)]));
    const before = process.memoryUsage().arrayBuffers;
    const junk = Buffer.alloc(256 * KiB);
    for (let count = 0; count < 64; count++) client.say(junk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MiB);
  });
});

test("a client that talks on after its end is reported once", async () => {
  const served = await MemoryServer.serving(new ScriptedExport());
  const client = served.greet();
  client.say(Buffer.concat([clientFlags(), Buffer.alloc(16)]));
  for (let count = 0; count < 5; count++) client.say(Buffer.alloc(100));
  expect(served.events.filter((event) => event.kind === "left")).toHaveLength(1);
});

describe("a client", () => {
  test("that says goodbye and never hangs up is hung up on", async () => {
    const clock = new SteppedClock();
    const { path, server } = await serve(new ScriptedExport(), { clock });
    const client = await RawClient.open(path);
    client.ask({ type: type.disconnect, cookie: 1n });
    await client.untilEnd();
    for (let count = 0; count < 100; count++) {
      clock.pass(nbdStallMs / 50);
      await turn();
    }
    expect(server.connectionCount).toBe(0);
  });

  test("that waits for memory, with more to say, does not crash a server that is closed", async () => {
    const { path, server } = await serve(new ScriptedExport({ sizeBytes: 64 * MiB, memoryBytes: MiB }));
    await hogMemory(path);
    const client = await RawClient.open(path);
    for (let count = 0; count < 2000; count++) client.ask({ type: type.read, cookie: 1n, length: 4 * MiB });
    for (let count = 0; count < 20; count++) await turn();
    await server.close(100);
    expect(server.heldBytes).toBe(0);
  });

  test("that takes a large reply slowly, but takes it, is not dropped", async () => {
    const served = await MemoryServer.serving(new ScriptedExport({ sizeBytes: 8 * MiB }));
    const client = served.open();
    client.connection.appetiteBytes = 0;
    client.say(request("simple", { type: type.read, cookie: 1n, length: 8 * MiB }));
    for (let count = 0; count < 7; count++) {
      client.connection.take(MiB);
      served.world.advance(nbdStallMs / 3);
    }
    expect(served.server.connectionCount).toBe(1);
  });

  test("whose header came in pieces while memory was scarce is served on", async () => {
    const { path, server } = await serve(new ScriptedExport({ sizeBytes: 64 * MiB, memoryBytes: MiB }));
    const client = await RawClient.open(path);
    const hogs = await hogMemory(path);
    const bytes = request("simple", { type: type.read, cookie: 7n, length: 4096 });
    client.send(bytes.subarray(0, 10));
    for (let count = 0; count < 20; count++) await turn();
    client.send(bytes.subarray(10));
    for (let count = 0; count < 20; count++) await turn();
    for (const hog of hogs) hog.hangUp();
    await until(() => server.connectionCount === 1);
    await client.take(16 + 4096);
    expect(await client.asked({ type: type.read, cookie: 8n, length: 512 })).toMatchObject({ error: 0 });
  });

  test("with a small request is served while others have begun large ones and go no further", async () => {
    // No time passes: they are not dropped for it.
    const clock = new SteppedClock();
    const { path } = await serve(new ScriptedExport({ sizeBytes: 64 * MiB, memoryBytes: MiB }), { clock });
    await hogMemory(path);
    const client = await RawClient.open(path);
    expect(await client.asked({ type: type.read, cookie: 7n, length: 4096 })).toMatchObject({ error: 0 });
  });

  test("that resets with replies unsent while its requests end leaves no memory held", async () => {
    const target = new ScriptedExport();
    target.keeps = (one) => one.length === 512;
    const { server, path } = await serve(target);
    for (let round = 0; round < 20; round++) {
      const client = await RawClient.open(path);
      client.stopReading();
      for (let count = 0; count < 100; count++) client.ask({ type: type.read, cookie: BigInt(count), length: 512 });
      for (let count = 0; count < 20; count++)
        client.ask({ type: type.read, cookie: BigInt(1000 + count), length: 100_000 });
      await until(() => target.kept.length === 100);
      for (let count = 0; count < 20; count++) await turn();
      client.hangUp();
      for (let next = target.kept.shift(); next !== undefined; next = target.kept.shift()) {
        target.finish(next);
        await turn();
      }
      await until(() => server.connectionCount === 0);
      for (let count = 0; count < 5; count++) await turn();
      expect(server.heldBytes, `round ${round}`).toBe(0);
    }
  });
});

/** Two clients that take the whole budget with payloads that do not end. */
async function hogMemory(path: string): Promise<RawClient[]> {
  const first = Math.min(nbdPayloadBytesMax, nbdBytesInFlightMax - 64 * KiB) - 64;
  const hogs: RawClient[] = [];
  for (const length of [first, nbdBytesInFlightMax - first - 4096]) {
    const hog = await RawClient.open(path);
    hog.send(Buffer.concat([request("simple", { type: type.write, cookie: 1n, length }), Buffer.alloc(1)]));
    hogs.push(hog);
    for (let count = 0; count < 20; count++) await turn();
  }
  return hogs;
}

test("a block status of many contexts with many runs is answered", async () => {
  const target = Object.assign(new ScriptedExport(), {
    metaContexts: Array.from({ length: 16 }, (_, at) => `test:${at}`),
  });
  target.runs = () => Array.from({ length: 4096 }, (_, at) => ({ lengthBytes: 1, status: at % 2 }));
  const { path } = await serve(target);
  const client = await RawClient.open(path, "extended", target.metaContexts);
  expect((await client.asked({ type: type.status, cookie: 1n, length: 65_536 })).status.size).toBe(16);
});
