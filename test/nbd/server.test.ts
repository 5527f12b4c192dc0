/** The life of a server and its connections, on real sockets where the system plays a part. */
import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { nbdBytesInFlightMax, nbdConnectionCountMax } from "#src/core/nbd-limits.ts";
import { clientFlags, goData, opening, option, optionCode, request, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { RawClient } from "#test/hostile/raw-client.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";
import { serve, turn, until } from "#test/hostile/served.ts";
import { parseOptionReply } from "#test/hostile/server-bytes.ts";
import { SteppedClock } from "#test/hostile/stepped-clock.ts";

describe("a client that does not read", () => {
  test("fault 37: makes the server hold no more than its budget, and others are served", async () => {
    const target = new ScriptedExport({ sizeBytes: 4 * MiB });
    target.bytes.fill("tidemark");
    const { server, path } = await serve(target);
    const lazy = await RawClient.open(path);
    lazy.stopReading();
    for (let count = 0; count < 40; count++) lazy.ask({ type: type.read, cookie: BigInt(count), length: 4 * MiB });
    await until(() => server.heldBytes > 0);
    const other = await RawClient.open(path);
    for (let count = 0; count < 50; count++) {
      const reply = await other.asked({ type: type.read, cookie: 1n, offset: count, length: 70_000 });
      expect(reply.data?.equals(target.bytes.subarray(count, count + 70_000))).toBe(true);
      expect(server.heldBytes).toBeLessThanOrEqual(nbdBytesInFlightMax);
    }
    lazy.readAgain();
    for (let count = 0; count < 40; count++) expect((await lazy.reply()).data?.equals(target.bytes)).toBe(true);
    expect(server.heldBytes).toBe(0);
  });
});

describe("a server that is closed", () => {
  test("answers what is under way before it hangs up, and takes nothing new", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    const { server, path } = await serve(target);
    const client = await RawClient.open(path);
    client.ask({ type: type.read, cookie: 1n, length: 512 });
    await until(() => target.kept.length === 1);
    const closing = server.close(60_000);
    await turn();
    client.ask({ type: type.read, cookie: 2n, length: 512 });
    await turn();
    target.release();
    expect(await client.reply()).toMatchObject({ cookie: 1n, error: 0 });
    await client.untilEnd();
    client.finish();
    await closing;
    expect(target.seen).toHaveLength(1);
    await expect(RawClient.connect(path)).rejects.toThrow();
  });

  test("hangs up after its grace on who is still there", async () => {
    const clock = new SteppedClock();
    const target = new ScriptedExport();
    target.keeps = () => true;
    const { server, path } = await serve(target, { clock });
    const client = await RawClient.open(path);
    client.ask({ type: type.flush, cookie: 1n });
    await until(() => target.kept.length === 1);
    const closing = server.close(5000);
    await turn();
    clock.pass(4999);
    expect(client.isEnded).toBe(false);
    clock.pass(1);
    await closing;
    await client.untilEnd();
    target.release();
    await turn();
    expect(server.heldBytes).toBe(0);
  });

  test("is closed at once when nobody is there, or only in a handshake", async () => {
    const { server, path } = await serve(new ScriptedExport());
    const client = await RawClient.greeted(path);
    await server.close(60_000);
    await client.untilEnd();
    expect(server.connectionCount).toBe(0);
  });
});

describe("one export that is ended", () => {
  test("loses its clients after what they have under way, and the others keep theirs", async () => {
    const ending = new ScriptedExport();
    ending.keeps = () => true;
    const staying = Object.assign(new ScriptedExport(), { name: "other" });
    const exports = { find: (name: string) => (name === "other" ? staying : ending), list: () => [ending, staying] };
    const { server, path } = await serve(ending, { exports });
    const [leaving, kept] = [await RawClient.open(path), await RawClient.open(path, "simple", [], "other")];
    expect([server.countOf(ending.name), server.countOf("other"), server.countOf("none")]).toEqual([1, 1, 0]);
    leaving.ask({ type: type.read, cookie: 1n, length: 512 });
    await until(() => ending.kept.length === 1);
    const ended = server.hangUp(ending.name, 60_000);
    await turn();
    ending.release();
    expect(await leaving.reply()).toMatchObject({ cookie: 1n, error: 0 });
    await leaving.untilEnd();
    leaving.finish();
    await ended;
    expect(await kept.asked({ type: type.flush, cookie: 2n })).toMatchObject({ cookie: 2n, error: 0 });
    expect([server.countOf(ending.name), server.countOf("other")]).toEqual([0, 1]);
  });
});

describe("connections", () => {
  test("are served side by side, each in its own style, on one disk", async () => {
    const { path } = await serve(new ScriptedExport());
    const [first, second] = [await RawClient.open(path, "simple"), await RawClient.open(path, "extended")];
    const payload = Buffer.from("seen by the other");
    await first.asked({ type: type.write, cookie: 1n, offset: 77, payload });
    const reply = await second.asked({ type: type.read, cookie: 2n, offset: 77, length: payload.length });
    expect(reply.data?.toString()).toBe("seen by the other");
  });

  test("fault 37: beyond the most are hung up on, and said so; when one has gone another may come", async () => {
    const world = await MemoryServer.serving(new ScriptedExport());
    const clients = Array.from({ length: nbdConnectionCountMax }, () => world.open());
    const late = world.greet();
    expect(late.connection.isGone).toBe(true);
    expect(world.events.at(-1)).toMatchObject({ kind: "dropped", why: "too many connections" });
    const toldCount = world.events.length;
    for (let count = 0; count < 100; count++) world.greet();
    expect(world.events).toHaveLength(toldCount);
    expect(world.server.connectionCount).toBe(nbdConnectionCountMax);
    clients[5]?.connection.hangUp();
    world.world.advance(0);
    const client = world.open();
    client.say(request("simple", { type: type.flush, cookie: 3n }));
    expect(client.replies()).toMatchObject([{ cookie: 3n, error: 0 }]);
  });

  test("are told of when they open an export, and when they are lost", async () => {
    const world = await MemoryServer.serving(new ScriptedExport());
    const client = world.open();
    client.connection.hangUp(new Error("reset by peer"));
    world.world.advance(0);
    expect(world.events).toEqual([
      { kind: "attached", peer: "memory", exportName: "disk" },
      { kind: "dropped", peer: "memory", why: "reset by peer" },
    ]);
  });
});

describe("the first requests", () => {
  test("may come right behind GO", async () => {
    const world = await MemoryServer.serving(new ScriptedExport());
    const client = world.greet();
    const eager = Buffer.concat([...opening("simple"), request("simple", { type: type.flush, cookie: 8n })]);
    client.say(eager);
    expect(client.connection.takeOutput().subarray(-16).toString("hex")).toBe(
      "67446698" + "00000000" + "0000000000000008",
    );
  });

  test("requests behind GO keep their order when the answers to the options are slow to leave", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    const world = await MemoryServer.serving(target);
    const client = world.greet();
    client.connection.appetiteBytes = 20;
    const many = Array.from({ length: 270 }, (_, at) =>
      request("simple", { type: type.trim, cookie: BigInt(at), offset: at, length: 1 }),
    );
    client.say(Buffer.concat([...opening("simple"), ...many]));
    client.connection.take(10_000);
    client.say(request("simple", { type: type.trim, cookie: 999n, offset: 999, length: 1 }));
    for (let rounds = 0; rounds < 5; rounds++) {
      target.release();
      client.connection.take(100_000);
      world.world.advance(0);
    }
    const offsets = target.seen.map((line) => Number(line.split(" ")[1]?.split("+")[0]));
    expect(offsets).toEqual([...Array.from({ length: 270 }, (_, at) => at), ...(offsets.includes(999) ? [999] : [])]);
  });
});

describe("STARTTLS", () => {
  const start = Buffer.concat([clientFlags(), option(optionCode.startTls)]);

  async function starting(bytes: Buffer) {
    const world = await MemoryServer.serving(new ScriptedExport(), { tls: true });
    const client = world.greet();
    client.say(bytes);
    await turn();
    return { world, client, secured: world.sockets.secured[0] };
  }

  test("hands the connection over, and haggles on behind it from the start", async () => {
    const { world, secured } = await starting(
      Buffer.concat([clientFlags(), option(optionCode.structuredReply), option(optionCode.startTls)]),
    );
    secured?.deliver(option(optionCode.go, goData()));
    secured?.deliver(request("simple", { type: type.read, cookie: 1n, length: 16 }));
    expect(secured?.output.subarray(-32).toString("hex")).toBe(
      `67446698${"0".repeat(8)}${"0".repeat(15)}1${"0".repeat(32)}`,
    );
    secured?.hangUp();
    world.world.advance(0);
    expect(world.server.connectionCount).toBe(0);
  });

  test("fault 32: with plain text behind it never comes to TLS, and nothing of the plain text is answered", async () => {
    const { client, secured } = await starting(Buffer.concat([start, option(optionCode.go, goData())]));
    expect(secured).toBeUndefined();
    expect(client.connection.isOver).toBe(true);
    const said = client.connection.output.subarray(18);
    expect(parseOptionReply(said, 20)).toBeUndefined();
  });

  test("that fails ends the connection", async () => {
    const world = await MemoryServer.serving(new ScriptedExport(), { tls: true });
    world.sockets.failTls = new Error("no certificate");
    world.greet().say(start);
    await turn();
    expect(world.server.connectionCount).toBe(0);
    expect(world.events).toMatchObject([{ kind: "dropped", why: "no certificate" }]);
  });
});
