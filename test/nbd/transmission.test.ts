/** What a server does with requests, seen from its connection's other end. */
import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { nbdPayloadBytesMax, nbdRequestsInFlightMax, nbdSkipBytesMax } from "#src/core/nbd-limits.ts";
import { type Asked, flag, request, styles, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";

const ok = 0;
const permission = 1;
const io = 5;
const invalid = 22;
const noSpace = 28;
const vast = 2 ** 50;

/** The outcome of one request, or what the server made of it: "closed". */
async function outcome(style: "simple" | "structured" | "extended", asked: Asked, target = new ScriptedExport()) {
  const { open } = await served(target);
  const client = open(style, style === "simple" ? [] : ["base:allocation"]);
  client.say(request(style, asked));
  const [reply] = client.replies((cookie) =>
    asked.type === type.read && cookie === asked.cookie ? Number(asked.length) : 0,
  );
  // Whatever was refused, the connection goes on.
  client.say(request(style, { type: type.flush, cookie: 99n }));
  expect(client.replies()).toMatchObject([{ cookie: 99n, error: ok }]);
  return reply;
}

async function served(target: ScriptedExport) {
  const world = await MemoryServer.serving(target);
  return { world, server: world.server, open: world.open.bind(world) };
}

describe.each(styles)("in %s style", (style) => {
  test("what was written is read, at any cut of the stream", async () => {
    const target = new ScriptedExport({ sizeBytes: 65_536 });
    const { open, server } = await served(target);
    const payload = Buffer.from("written in pieces, read as a whole");
    const stream = Buffer.concat([
      request(style, { type: type.write, cookie: 1n, offset: 500, payload }),
      request(style, { type: type.write, cookie: 2n, offset: 65_530, payload }),
      request(style, { type: type.read, cookie: 3n, offset: 499, length: payload.length + 2 }),
      request(style, { type: type.writeZeroes, cookie: 4n, offset: 500, length: payload.length }),
      request(style, { type: type.read, cookie: 5n, offset: 499, length: payload.length + 2 }),
    ]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const client = open(style);
      client.say(stream.subarray(0, cut));
      client.say(stream.subarray(cut));
      const replies = client.replies((cookie) => (cookie === 3n || cookie === 5n ? payload.length + 2 : 0));
      expect(replies.map((reply) => [reply.cookie, reply.error])).toEqual([
        [1n, 0],
        [2n, noSpace],
        [3n, 0],
        [4n, 0],
        [5n, 0],
      ]);
      expect(replies[2]?.data?.toString("latin1")).toBe(`\0${payload.toString("latin1")}\0`);
      expect(replies[4]?.data?.equals(Buffer.alloc(payload.length + 2))).toBe(true);
      client.connection.hangUp();
    }
    expect(server.heldBytes).toBe(0);
  });

  test("a read and a write of the largest payload go through", async () => {
    const target = new ScriptedExport({ sizeBytes: nbdPayloadBytesMax });
    const { open, server } = await served(target);
    const client = open(style);
    const payload = Buffer.alloc(nbdPayloadBytesMax, "tidemark");
    client.say(request(style, { type: type.write, cookie: 1n, payload }));
    expect(client.replies()).toMatchObject([{ cookie: 1n, error: ok }]);
    expect(target.bytes.equals(payload)).toBe(true);
    client.say(request(style, { type: type.read, cookie: 2n, length: payload.length }));
    const [reply] = client.replies(() => payload.length);
    expect(reply?.data?.equals(payload)).toBe(true);
    expect(server.heldBytes).toBe(0);
  });

  test("fault 31: the payload of a refused write is skipped, and the next request is understood", async () => {
    for (const length of [1, 100, 300_000, nbdPayloadBytesMax + 1])
      await outcome(style, { type: type.write, cookie: 1n, offset: vast, payload: Buffer.alloc(length, 0x25) });
  });

  test("fault 31: a payload that is far too long ends the connection without being read", async () => {
    const { open, server } = await served(new ScriptedExport());
    const client = open(style);
    const flags = style === "extended" ? flag.payload : 0;
    client.say(request(style, { type: type.write, cookie: 1n, flags, length: nbdSkipBytesMax + 1 }));
    expect(client.connection.isGone).toBe(true);
    expect([server.connectionCount, server.heldBytes]).toEqual([0, 0]);
  });

  test("fault 31: a wrong magic number ends the connection, after what came before it was answered", async () => {
    const { open, server } = await served(new ScriptedExport());
    const client = open(style);
    client.say(Buffer.concat([request(style, { type: type.flush, cookie: 1n }), Buffer.alloc(32, 0x25)]));
    expect(client.replies()).toMatchObject([{ cookie: 1n, error: ok }]);
    expect([client.connection.isGone, server.connectionCount]).toEqual([true, 0]);
  });

  test.each([
    ["a read out of range", { type: type.read, offset: vast, length: 1 }, invalid],
    ["a write out of range", { type: type.write, offset: vast, payload: Buffer.alloc(512) }, noSpace],
    ["zeroing out of range", { type: type.writeZeroes, offset: MiB - 1, length: 2 }, noSpace],
    ["a trim out of range", { type: type.trim, offset: vast, length: 1 }, invalid],
    [
      "offset and length that sum up to more than 64 bits",
      { type: type.read, offset: 2n ** 64n - 1n, length: 512 },
      invalid,
    ],
    ["an unknown command", { type: 77, length: 512 }, invalid],
    ["an unknown flag", { type: type.read, flags: 1 << 9, length: 512 }, invalid],
    ["a flag of another command", { type: type.flush, flags: flag.noHole }, invalid],
    ["nothing to read", { type: type.read, length: 0 }, invalid],
  ] as const)("%s is refused, and the connection goes on", async (_what, asked, error) => {
    expect(await outcome(style, { cookie: 5n, ...asked })).toMatchObject({ cookie: 5n, error });
  });

  test("nothing is written to a read-only export", async () => {
    const target = new ScriptedExport({ features: { readOnly: true } });
    const asked = { type: type.write, cookie: 5n, payload: Buffer.alloc(512, 1) };
    expect(await outcome(style, asked, target)).toMatchObject({ error: permission });
    expect(await outcome(style, { type: type.trim, cookie: 5n, length: 512 }, target)).toMatchObject({
      error: permission,
    });
    expect(target.seen.filter((line) => !line.startsWith("3 "))).toEqual([]);
  });

  test("an error of the export is its request's alone", async () => {
    const target = new ScriptedExport();
    target.fails = (one) => (one.offset === 4096 ? io : ok);
    expect(await outcome(style, { type: type.read, cookie: 5n, offset: 4096, length: 512 }, target)).toMatchObject({
      error: io,
    });
    expect(await outcome(style, { type: type.read, cookie: 5n, offset: 0, length: 512 }, target)).toMatchObject({
      error: ok,
    });
  });

  test("what the export answers late, and in another order, goes to the right requests", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    for (let at = 0; at < 32; at++) target.bytes.fill(at, at * 512, (at + 1) * 512);
    const { open } = await served(target);
    const client = open(style);
    for (let at = 0; at < 32; at++)
      client.say(request(style, { type: type.read, cookie: BigInt(at), offset: at * 512, length: 512 }));
    expect(client.replies()).toEqual([]);
    target.release((kept) => kept.toReversed());
    const replies = client.replies(() => 512);
    expect(replies.map((reply) => Number(reply.cookie))).toEqual(Array.from({ length: 32 }, (_, at) => 31 - at));
    for (const reply of replies) expect(reply.data?.every((byte) => byte === Number(reply.cookie))).toBe(true);
  });

  test("a payload that the export keeps stays what it was, whatever comes behind it", async () => {
    const target = new ScriptedExport();
    target.keeps = (one) => one.offset < 8192;
    const { open } = await served(target);
    const client = open(style);
    const write = (cookie: bigint, offset: number, byte: number) =>
      request(style, { type: type.write, cookie, offset, payload: Buffer.alloc(4096, byte) });
    client.say(Buffer.concat([write(1n, 0, 1), write(2n, 4096, 2), write(3n, 8192, 3)]));
    client.say(Buffer.concat([write(4n, 12_288, 4), write(5n, 16_384, 5)]));
    target.release();
    expect(client.replies().map((reply) => reply.cookie)).toEqual([3n, 4n, 5n, 1n, 2n]);
    for (let at = 0; at < 5; at++) expect(target.bytes[at * 4096]).toBe(at + 1);
  });

  test("a payload that the export has taken over is given back while its request goes on, kept before or not", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    const { open, server } = await served(target);
    const client = open(style);
    const payload = Buffer.alloc(100_000, 7);
    client.say(request(style, { type: type.write, cookie: 1n, payload }));
    client.say(request(style, { type: type.trim, cookie: 2n, length: 512 }));
    const heldBytes = server.heldBytes;
    target.letsGo = () => true;
    client.say(request(style, { type: type.write, cookie: 3n, offset: 100_000, payload: payload.subarray(0, 4096) }));
    client.say(request(style, { type: type.write, cookie: 4n, offset: 200_000, payload }));
    expect([heldBytes >= payload.length, server.heldBytes, target.kept.length]).toEqual([true, heldBytes, 4]);
    for (const kept of target.kept) kept.keepWithoutPayload();
    expect(server.heldBytes).toBe(0);
    for (const kept of target.kept.splice(0)) kept.complete(ok);
    expect(client.replies().map((reply) => reply.cookie)).toEqual([1n, 2n, 3n, 4n]);
  });

  test("not more requests are under way than may be; the rest is read when some have ended", async () => {
    const target = new ScriptedExport();
    target.keeps = () => true;
    const { open } = await served(target);
    const client = open(style);
    const count = nbdRequestsInFlightMax + 20;
    const stream = Buffer.concat(
      Array.from({ length: count }, (_, at) => request(style, { type: type.trim, cookie: BigInt(at), length: 512 })),
    );
    const heard = client.say(stream);
    expect(target.kept).toHaveLength(nbdRequestsInFlightMax);
    expect(client.connection.isReading).toBe(false);
    target.release();
    expect(client.replies()).toHaveLength(nbdRequestsInFlightMax);
    client.say(stream.subarray(heard));
    target.release();
    expect(client.replies()).toHaveLength(20);
    expect(client.connection.isReading).toBe(true);
  });

  test("a farewell is taken when all before it is answered, and what comes behind it is not heard", async () => {
    const target = new ScriptedExport();
    target.keeps = (one) => one.command === type.flush;
    const { open, server } = await served(target);
    const client = open(style);
    client.say(
      Buffer.concat([
        request(style, { type: type.flush, cookie: 1n }),
        request(style, { type: type.disconnect, cookie: 2n }),
        request(style, { type: type.trim, cookie: 3n, length: 512 }),
      ]),
    );
    expect(client.connection.isOver).toBe(false);
    target.release();
    expect(client.replies()).toMatchObject([{ cookie: 1n, error: ok }]);
    expect(client.connection.isOver).toBe(true);
    expect(target.seen).toHaveLength(1);
    client.connection.hangUp();
    client.replies();
    expect([server.connectionCount, server.heldBytes]).toEqual([0, 0]);
  });
});

describe("reads", () => {
  test("come whole where that is asked for", async () => {
    const asked = { type: type.read, cookie: 5n, flags: flag.df, length: 65_536 };
    for (const style of ["structured", "extended"] as const)
      expect((await outcome(style, asked))?.data).toHaveLength(65_536);
    expect(await outcome("simple", asked)).toMatchObject({ error: invalid });
  });
});

describe("lengths of 64 bits", () => {
  test("are taken for what carries no data, in extended style", async () => {
    const target = new ScriptedExport({ sizeBytes: vast, memoryBytes: 0 });
    for (const kind of [type.trim, type.writeZeroes, type.cache, type.status]) {
      const reply = await outcome("extended", { type: kind, cookie: 5n, offset: 1n, length: 2n ** 50n - 1n }, target);
      expect(reply?.error).toBe(ok);
      expect(target.seen).toContain(`${kind} 1+${2 ** 50 - 1}`);
    }
  });
});
