import { describe, expect, test } from "vitest";
import { nbdClientErrorChunkBytesMax } from "#src/core/nbd-limits.ts";
import { NbdServerError } from "#src/nbd/client/errors.ts";
import { nbdError, replyType } from "#src/nbd/constants.ts";
import type { ReplyStyle } from "#src/nbd/reply-codec.ts";
import { chunked, data, expectBroken, failure, hole, none } from "./replies.ts";
import { type ChunkSpec, chunk, type HeardRequest, numbers, open, simpleReply } from "./scripted-peer.ts";

const position = 4096;

/** Asks for 16 bytes at `position` and answers with these chunks. */
async function answerRead(style: ReplyStyle, ...specs: readonly ChunkSpec[]) {
  const opened = await open({ style });
  // What is in the buffer before must not be taken for what was read.
  const buffer = Buffer.alloc(16, 0xee);
  const reading = opened.client.readInto(position, buffer).then(() => buffer);
  const [request] = opened.requests() as [HeardRequest];
  opened.wire.say(...specs.map((spec) => chunk(style, request, spec)));
  opened.clock.turn();
  return { ...opened, reading };
}

describe.each(chunked)("a read in %s style", (style) => {
  const text = Buffer.from("0123456789abcdef");

  test("takes the data in one chunk", async () => {
    const { reading } = await answerRead(style, data(position, text));
    expect((await reading).toString()).toBe("0123456789abcdef");
  });

  test("takes data and holes in any order, with the end in a chunk of its own", async () => {
    const { reading } = await answerRead(
      style,
      data(position + 12, text.subarray(12), false),
      hole(position + 4, 8, false),
      data(position, text.subarray(0, 4), false),
      none,
    );
    expect((await reading).toString()).toBe("0123\0\0\0\0\0\0\0\0cdef");
  });

  test.each([
    ["data before it", [data(position - 1, text)]],
    ["data behind it", [data(position + 1, text)]],
    [
      "data at the far end of all numbers",
      [{ ...data(0, text), payload: Buffer.concat([Buffer.alloc(8, 0xff), text]) }],
    ],
    ["a hole before it", [hole(position - 1, 4)]],
    ["a hole behind it", [hole(position + 15, 2)]],
    ["a hole larger than it", [hole(position, 0xffffffff)]],
  ])("refuses %s", async (_, specs) => {
    const { reading, ...opened } = await answerRead(style, ...specs);
    await expectBroken(opened, reading, "lie outside of it");
  });

  test.each([
    ["data twice", [data(position, text, false), data(position, text)]],
    ["a hole over data", [data(position, text, false), hole(position + 15, 1)]],
    ["data over a hole", [hole(position + 4, 4, false), data(position + 7, text.subarray(0, 2))]],
  ])("refuses %s", async (_, specs) => {
    const { reading, ...opened } = await answerRead(style, ...specs);
    await expectBroken(opened, reading, "were answered already");
  });

  test.each([
    ["nothing", [none]],
    ["less than all", [data(position, text.subarray(1))]],
    ["a gap in the middle", [data(position, text.subarray(0, 7), false), data(position + 8, text.subarray(8))]],
  ])("refuses to call %s a success", async (_, specs) => {
    const { reading, ...opened } = await answerRead(style, ...specs);
    await expectBroken(opened, reading, "leaves bytes out");
  });

  test.each([
    ["more data than was asked for", data(position, Buffer.alloc(17)), "more data than asked for"],
    ["a chunk of a huge length", { ...data(position, text), payloadBytes: 0xffffffff }, "more data than asked for"],
    ["data without any", { type: replyType.offsetData, payload: numbers([64, position]) }, "cannot have 8 bytes"],
    ["an empty hole", hole(position, 0), "a hole of no bytes"],
    ["a hole of a wrong form", { type: replyType.offsetHole, payload: numbers([64, position]) }, "cannot have 8 bytes"],
    ["an empty chunk with a payload", { type: replyType.none, payload: Buffer.alloc(1) }, "has a payload"],
    ["an empty chunk that is not the last", { type: replyType.none, isLast: false }, "is not the last"],
    ["block status", { type: replyType.blockStatus, payload: Buffer.alloc(12) }, "does not answer it"],
    ["a chunk of an unknown type", { type: 77 }, "unknown type 77"],
    ["an error without a number", failure(0), "an error in a wrong form"],
    ["an error that is too short", { type: replyType.error, payload: Buffer.alloc(5) }, "an error of 5 bytes"],
    [
      "an error that is too long",
      { type: replyType.error, payloadBytes: nbdClientErrorChunkBytesMax + 1 },
      "an error of 8193 bytes",
    ],
    [
      "an error whose text is longer than itself",
      { type: replyType.error, payload: numbers([32, 5], [16, 1]) },
      "an error in a wrong form",
    ],
    [
      "an error with an offset it does not have",
      failure(5, "", Buffer.alloc(7), replyType.errorOffset),
      "in a wrong form",
    ],
    ["an error with bytes too many", failure(5, "", Buffer.alloc(1)), "in a wrong form"],
    ["an error of an unknown kind, too long in itself", failure(0, "", Buffer.alloc(9), 0xffff), "in a wrong form"],
    ["an error elsewhere", failure(5, "", numbers([64, position + 16]), replyType.errorOffset), "lies outside of it"],
  ])("refuses %s", async (_, spec, words) => {
    const { reading, ...opened } = await answerRead(style, spec);
    await expectBroken(opened, reading, words);
  });

  test("fails with the server's error and text, and the connection goes on", async () => {
    const { reading, ...opened } = await answerRead(style, failure(nbdError.io, "bad sector"));
    const error = await reading.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NbdServerError);
    expect(error).toMatchObject({ errorNumber: nbdError.io, code: "EIO" });
    expect(String(error)).toContain('read of 16 bytes at 4096: the server answered EIO, "bad sector"');
    expect(opened.client.failure).toBeUndefined();
    const again = opened.client.read(position, 16);
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(chunk(style, request, data(position, text)));
    expect((await again).equals(text)).toBe(true);
  });

  test("tells where the first of several errors is", async () => {
    const { reading } = await answerRead(
      style,
      data(position, text, false),
      { ...failure(nbdError.io, "", numbers([64, position + 9]), replyType.errorOffset), isLast: false },
      failure(nbdError.noMemory, "", numbers([64, position + 2]), replyType.errorOffset),
    );
    await expect(reading).rejects.toMatchObject({ code: "EIO", position: position + 9 });
  });

  test("fails with an error of an unknown kind, and an unknown number counts as EINVAL", async () => {
    const { reading, ...opened } = await answerRead(style, failure(12345, "strange", Buffer.alloc(100), 0xffff));
    await expect(reading).rejects.toMatchObject({ errorNumber: nbdError.invalid, code: "EINVAL" });
    await expect(reading).rejects.toThrow("12345");
    expect(opened.wire.ending).toBe("none");
  });

  test("may not be fragmented when that was forbidden", async () => {
    const opened = await open({ style });
    const reading = opened.client.read(position, 16, { doNotFragment: true });
    const [request] = opened.requests() as [HeardRequest];
    for (const spec of [data(position, text.subarray(0, 8), false), data(position + 8, text.subarray(8))]) {
      opened.wire.say(chunk(style, request, spec));
    }
    await expectBroken(opened, reading, "in pieces although it must not be");
  });

  test("may arrive byte by byte, chunks of other requests in between", async () => {
    const opened = await open({ style });
    const readings = [opened.client.read(position, 16), opened.client.read(0, 16)] as const;
    const [first, second] = opened.requests() as [HeardRequest, HeardRequest];
    const said = Buffer.concat([
      chunk(style, second, data(8, text.subarray(8), false)),
      chunk(style, first, data(position, text.subarray(0, 8), false)),
      chunk(style, second, data(0, text.subarray(0, 8), false)),
      chunk(style, first, hole(position + 8, 8)),
      chunk(style, second, none),
    ]);
    for (const byte of said) opened.wire.say(Buffer.of(byte));
    expect((await readings[0]).toString()).toBe("01234567\0\0\0\0\0\0\0\0");
    expect((await readings[1]).toString()).toBe("0123456789abcdef");
  });
});

describe("a read in simple style", () => {
  test("takes as much data as was asked for", async () => {
    const opened = await open({ style: "simple" });
    const reading = opened.client.read(0, 4);
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(simpleReply(request), Buffer.from("da"));
    opened.wire.say(Buffer.from("ta"));
    expect((await reading).toString()).toBe("data");
  });

  test("has no data when there is an error", async () => {
    const opened = await open({ style: "simple" });
    const readings = [opened.client.read(0, 4), opened.client.read(4, 4)] as const;
    const [first, second] = opened.requests() as [HeardRequest, HeardRequest];
    opened.wire.say(simpleReply(first, nbdError.io), simpleReply(second), Buffer.from("data"));
    await expect(readings[0]).rejects.toMatchObject({ code: "EIO" });
    expect((await readings[1]).toString()).toBe("data");
  });

  test("is no answer once chunks were agreed upon", async () => {
    const opened = await open({ style: "structured" });
    const reading = opened.client.read(0, 4);
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(simpleReply(request, nbdError.io));
    await expectBroken(opened, reading, "its reply must have chunks");
  });
});

describe("a large read", () => {
  test.each(["simple", ...chunked] as const)("lands in the caller's buffer without a copy: %s", async (style) => {
    const opened = await open({ style });
    const byteLength = 1 << 20;
    const reading = opened.client.read(0, byteLength);
    const [request] = opened.requests() as [HeardRequest];
    const content = Buffer.alloc(byteLength, "some content ");
    const head =
      style === "simple" ? simpleReply(request) : chunk(style, request, data(0, content)).subarray(0, -byteLength);
    opened.wire.say(head);
    const receivedBefore = opened.wire.receivedBuffers.length;
    opened.wire.say(content);
    const landed = await reading;
    expect(landed.equals(content)).toBe(true);
    const targets = opened.wire.receivedBuffers.slice(receivedBefore);
    expect(targets.map(({ buffer }) => buffer === landed.buffer)).toEqual([true]);
  });
});

describe("a reply of any kind", () => {
  test.each([
    ["simple", 16],
    ["structured", 20],
    ["extended", 32],
  ] as const)("is refused with a wrong magic number in %s style", async (style, headerBytes) => {
    for (const wrong of [0, 0x67446699, 0x668e33ee, 0x6e8a278d]) {
      const opened = await open({ style });
      const flushing = opened.client.flush();
      opened.requests();
      opened.wire.say(numbers([32, wrong]), Buffer.alloc(headerBytes - 4));
      await expectBroken(opened, flushing, `0x${wrong.toString(16)}`);
    }
  });

  test.each(["simple", ...chunked] as const)("must name a request that is under way in %s style", async (style) => {
    const answer = (request: HeardRequest) => (style === "simple" ? simpleReply(request) : chunk(style, request, none));
    for (const change of [{ cookieLow: 1 }, { cookieLow: 0xffffffff }, { cookieHigh: 0 }, { cookieHigh: 0xffffffff }]) {
      const opened = await open({ style });
      const flushing = opened.client.flush();
      const [request] = opened.requests() as [HeardRequest];
      opened.wire.say(answer({ ...request, ...change }));
      await expectBroken(opened, flushing, "not under way");
    }
  });

  test.each(["simple", ...chunked] as const)("must not come twice in %s style", async (style) => {
    const opened = await open({ style });
    const answer = (request: HeardRequest) => (style === "simple" ? simpleReply(request) : chunk(style, request, none));
    const first = opened.client.flush();
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(answer(request));
    await first;
    // The slot is taken again, by another request.
    const second = opened.client.flush();
    const [other] = opened.requests() as [HeardRequest];
    expect(other.cookieLow).toBe(request.cookieLow);
    opened.wire.say(answer(request));
    await expectBroken(opened, second, "not under way");
  });

  test("must name the request's offset in extended style", async () => {
    const opened = await open({ style: "extended" });
    const trimming = opened.client.trim(4096, 4096);
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(chunk("extended", { ...request, offset: 0 }, none));
    await expectBroken(opened, trimming, "another offset");
  });

  test("is a success or an error for what has no data", async () => {
    for (const style of ["simple", ...chunked] as const) {
      const opened = await open({ style });
      const { client } = opened;
      const asked = [client.flush(), client.trim(0, 1), client.writeZeroes(0, 1), client.cache(0, 1)];
      const failing = client.write(0, Buffer.of(1));
      const requests = opened.requests();
      const bad = requests.pop() as HeardRequest;
      for (const request of requests) {
        opened.wire.say(style === "simple" ? simpleReply(request) : chunk(style, request, none));
      }
      opened.wire.say(
        style === "simple" ? simpleReply(bad, nbdError.noSpace) : chunk(style, bad, failure(nbdError.noSpace)),
      );
      await Promise.all(asked);
      await expect(failing).rejects.toMatchObject({ code: "ENOSPC", errorNumber: nbdError.noSpace });
    }
  });

  test("has no data unless it answers a read", async () => {
    const opened = await open({ style: "structured" });
    const writing = opened.client.write(0, Buffer.of(1));
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(chunk("structured", request, data(0, Buffer.of(1))));
    await expectBroken(opened, writing, "does not answer it");
  });
});
