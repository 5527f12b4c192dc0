import { describe, expect, test } from "vitest";
import { command, commandFlag } from "#src/nbd/constants.ts";
import {
  decodeRequest,
  emptyRequestHeader,
  encodeRequest,
  type RequestHeader,
  requestHeaderLength,
} from "#src/nbd/request-codec.ts";

const write: RequestHeader = {
  flags: commandFlag.fua,
  type: command.write,
  cookieHigh: 0x01020304,
  cookieLow: 0x05060708,
  offset: 0x1122334455,
  length: 0x1000,
  payloadBytes: 0x1000,
};

function encoded(request: RequestHeader, extended: boolean): Buffer {
  const bytes = Buffer.alloc(requestHeaderLength(extended));
  expect(encodeRequest(bytes, 0, extended, request)).toBe(bytes.length);
  return bytes;
}

function decoded(bytes: Buffer, extended: boolean): RequestHeader | undefined {
  const header = emptyRequestHeader();
  return decodeRequest(bytes, 0, extended, header) ? header : undefined;
}

describe("a compact request", () => {
  test("has the bytes that the protocol says", () => {
    expect(encoded(write, false).toString("hex")).toBe(
      "25609513" + "0001" + "0001" + "0102030405060708" + "0000001122334455" + "00001000",
    );
  });

  test.each([0, 1, 2 ** 32 - 1])("comes back whole with a length of %d", (length) => {
    const request = { ...write, offset: Number.MAX_SAFE_INTEGER, length, payloadBytes: length };
    expect(decoded(encoded(request, false), false)).toEqual(request);
  });

  test("carries a payload only if it is a write", () => {
    for (const type of Object.values(command)) {
      const request = { ...write, type, payloadBytes: type === command.write ? write.length : 0 };
      expect(decoded(encoded(request, false), false)).toEqual(request);
    }
  });

  test("is decoded at any place of a buffer", () => {
    const bytes = Buffer.concat([Buffer.alloc(5, 0xff), encoded(write, false)]);
    const header = emptyRequestHeader();
    expect(decodeRequest(bytes, 5, false, header)).toBe(true);
    expect(header).toEqual(write);
  });
});

describe("an extended request", () => {
  const flags = commandFlag.payloadLength;

  test("has the bytes that the protocol says", () => {
    expect(encoded({ ...write, flags }, true).toString("hex")).toBe(
      "21e41c71" + "0020" + "0001" + "0102030405060708" + "0000001122334455" + "0000000000001000",
    );
  });

  test("comes back whole with a length above 32 bits", () => {
    const request = { ...write, flags: 0, type: command.trim, length: 2 ** 40 + 1, payloadBytes: 0 };
    expect(decoded(encoded(request, true), true)).toEqual(request);
  });

  test("carries a payload only if its flag says so, whatever its type", () => {
    for (const type of Object.values(command)) {
      const without = { ...write, type, flags: 0, payloadBytes: 0 };
      expect(decoded(encoded(without, true), true)).toEqual(without);
      const within = { ...write, type, flags };
      expect(decoded(encoded(within, true), true)).toEqual(within);
    }
  });
});

describe("a request of the other kind", () => {
  test("is refused by its magic number", () => {
    expect(decoded(Buffer.concat([encoded(write, false), Buffer.alloc(4)]), true)).toBeUndefined();
    expect(decoded(encoded(write, true), false)).toBeUndefined();
  });

  test("is refused when a single bit of the magic number is wrong", () => {
    for (const extended of [false, true]) {
      for (let bit = 0; bit < 32; bit++) {
        const bytes = encoded(write, extended);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decoded(bytes, extended)).toBeUndefined();
      }
    }
  });
});
