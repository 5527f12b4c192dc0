import { describe, expect, test } from "vitest";
import { get32 } from "#src/core/big-endian.ts";
import { magic, nbdError, replyFlag, replyType } from "#src/nbd/constants.ts";
import {
  decodeReply,
  emptyReplyHeader,
  encodeChunk,
  encodeReadHead,
  encodeSimpleReply,
  encodeStatus,
  type ReplyHeader,
  type ReplyStyle,
  readReplyHeadBytes,
  replyHeaderBytes,
  statusReplyBytesMax,
} from "#src/nbd/reply-codec.ts";

const identity = { cookieHigh: 0x01020304, cookieLow: 0xf5060708, offset: 0x1122334455 };
const cookie = { cookieHigh: identity.cookieHigh, cookieLow: identity.cookieLow };
const styles: readonly ReplyStyle[] = ["simple", "structured", "extended"];

function written(encode: (bytes: Buffer) => number): Buffer {
  const bytes = Buffer.alloc(64, 0xee);
  const end = encode(bytes);
  expect(bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true);
  return bytes.subarray(0, end);
}

function decoded(bytes: Buffer): ReplyHeader {
  const header = emptyReplyHeader();
  decodeReply(bytes, 0, header);
  return header;
}

describe("the bytes of a reply", () => {
  test("are those of the protocol in a simple one", () => {
    const bytes = written((into) => encodeSimpleReply(into, 0, nbdError.noSpace, identity));
    expect(bytes.toString("hex")).toBe("67446698" + "0000001c" + "01020304f5060708");
  });

  test("are those of the protocol in a structured chunk", () => {
    const chunk = { flags: replyFlag.done, type: replyType.offsetHole, payloadBytes: 12 };
    const bytes = written((into) => encodeChunk(into, 0, false, chunk, identity));
    expect(bytes.toString("hex")).toBe("668e33ef" + "0001" + "0002" + "01020304f5060708" + "0000000c");
  });

  test("are those of the protocol in an extended chunk", () => {
    const chunk = { flags: 0, type: replyType.blockStatusExtended, payloadBytes: 24 };
    const bytes = written((into) => encodeChunk(into, 0, true, chunk, identity));
    expect(bytes.toString("hex")).toBe(
      "6e8a278c" + "0000" + "0006" + "01020304f5060708" + "0000001122334455" + "0000000000000018",
    );
  });

  test("are those of the protocol in front of a structured read's data", () => {
    const bytes = written((into) => encodeReadHead(into, 0, "structured", identity, 0x1000));
    expect(bytes.toString("hex")).toBe(
      "668e33ef" + "0001" + "0001" + "01020304f5060708" + "00001008" + "0000001122334455",
    );
  });

  test("are those of the protocol in a structured read's error", () => {
    const bytes = written((into) => encodeStatus(into, 0, "structured", identity, nbdError.io, true));
    expect(bytes.toString("hex")).toBe(
      "668e33ef" + "0001" + "8001" + "01020304f5060708" + "00000006" + "00000005" + "0000",
    );
  });
});

describe("a reply comes back whole", () => {
  test.each([0, 1, 0xffffffff])("as a simple one with the error %d", (error) => {
    const header = decoded(written((into) => encodeSimpleReply(into, 0, error, identity)));
    expect(header).toEqual({
      magic: magic.simpleReply,
      error,
      flags: replyFlag.done,
      type: replyType.none,
      ...cookie,
      payloadBytes: 0,
    });
  });

  test.each([0, 0xffffffff])("as a structured chunk of %d bytes", (payloadBytes) => {
    const chunk = { flags: 0xffff, type: 0xfffe, payloadBytes };
    const header = decoded(written((into) => encodeChunk(into, 0, false, chunk, identity)));
    expect(header).toEqual({ magic: magic.structuredReply, error: 0, ...chunk, ...cookie });
  });

  test.each([0, 2 ** 32, Number.MAX_SAFE_INTEGER])("as an extended chunk of %d bytes", (payloadBytes) => {
    const chunk = { flags: 1, type: replyType.offsetData, payloadBytes };
    const header = decoded(written((into) => encodeChunk(into, 0, true, chunk, identity)));
    expect(header).toEqual({ magic: magic.extendedReply, error: 0, ...chunk, ...cookie });
  });
});

describe("the head of a successful read", () => {
  test.each(styles)("has the announced length in the %s style", (style) => {
    const bytes = written((into) => encodeReadHead(into, 0, style, identity, 4096));
    expect(bytes.length).toBe(readReplyHeadBytes(style));
    expect(decoded(bytes).payloadBytes).toBe(style === "simple" ? 0 : 4096 + 8);
  });
});

describe("a reply without data", () => {
  test.each(styles)("never exceeds its bound in the %s style", (style) => {
    for (const error of [0, nbdError.io]) {
      for (const isRead of [false, true]) {
        const bytes = written((into) => encodeStatus(into, 0, style, identity, error, isRead));
        expect(bytes.length).toBeLessThanOrEqual(statusReplyBytesMax());
        expect(replyHeaderBytes(style, get32(bytes, 0))).toBeGreaterThan(0);
        expect(decoded(bytes).flags).toBe(replyFlag.done);
      }
    }
  });

  test("is simple on a structured connection unless it answers a read", () => {
    const other = written((into) => encodeStatus(into, 0, "structured", identity, nbdError.io, false));
    expect(decoded(other).magic).toBe(magic.simpleReply);
    const read = written((into) => encodeStatus(into, 0, "structured", identity, nbdError.io, true));
    expect(decoded(read).magic).toBe(magic.structuredReply);
  });
});

describe("a magic number that the style does not allow", () => {
  test.each([
    ["simple", magic.structuredReply],
    ["simple", magic.extendedReply],
    ["structured", magic.extendedReply],
    ["extended", magic.simpleReply],
    ["extended", magic.structuredReply],
    ["simple", 0],
    ["structured", magic.request],
    ["extended", magic.extendedReply ^ 1],
  ] as const)("is refused: %s, %d", (style, replyMagic) => {
    expect(replyHeaderBytes(style, replyMagic)).toBe(0);
  });

  test("but those that it does give the header's length", () => {
    expect(replyHeaderBytes("simple", magic.simpleReply)).toBe(16);
    expect(replyHeaderBytes("structured", magic.simpleReply)).toBe(16);
    expect(replyHeaderBytes("structured", magic.structuredReply)).toBe(20);
    expect(replyHeaderBytes("extended", magic.extendedReply)).toBe(32);
  });
});
