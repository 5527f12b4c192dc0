import { describe, expect, test } from "vitest";
import { encodeBlockStatus, isStatusPayloadLength, statusQuestion } from "#src/nbd/block-status.ts";
import { command, commandFlag } from "#src/nbd/constants.ts";
import { emptyRequestHeader } from "#src/nbd/request-codec.ts";
import { statusPayload } from "#test/hostile/client-bytes.ts";

const identity = { cookieHigh: 0x01020304, cookieLow: 0x05060708, offset: 0x1122334455 };
const runs = [
  [
    { lengthBytes: 0x1000, status: 0 },
    { lengthBytes: 0x7ffff000, status: 3 },
  ],
  [{ lengthBytes: 0x2000, status: 0x80000001 }],
];
const cookie = "0102030405060708";

describe("the answer to a block status", () => {
  test("has the compact bytes that the protocol says, one chunk per context, the last one marked", () => {
    expect(encodeBlockStatus(false, identity, [1, 9], runs).toString("hex")).toBe(
      `668e33ef00000005${cookie}00000014` +
        "00000001" +
        "0000100000000000" +
        "7ffff00000000003" +
        `668e33ef00010005${cookie}0000000c` +
        "00000009" +
        "0000200080000001",
    );
  });

  test("has the extended bytes that the protocol says, with 64 bits and a count", () => {
    const long = [[{ lengthBytes: 2 ** 40, status: 3 }], runs[1] ?? []];
    expect(encodeBlockStatus(true, identity, [1, 9], long).toString("hex")).toBe(
      `6e8a278c00000006${cookie}0000001122334455${"0000000000000018"}` +
        "00000001" +
        "00000001" +
        "00000100000000000000000000000003" +
        `6e8a278c00010006${cookie}0000001122334455${"0000000000000018"}` +
        "00000009" +
        "00000001" +
        "00000000000020000000000080000001",
    );
  });
});

test("a run that 32 bits can't say is cut, and nothing is told of what comes after it", () => {
  const long = [
    { lengthBytes: 4096, status: 0 },
    { lengthBytes: 2 ** 32, status: 3 },
    { lengthBytes: 512, status: 0 },
  ];
  const bytes = encodeBlockStatus(false, identity, [1], [long]);
  expect(bytes.readUInt32BE(16)).toBe(4 + 2 * 8);
  const cutBytes = bytes.readUInt32BE(32);
  expect([cutBytes > 0, cutBytes % 4096, bytes.readUInt32BE(36)]).toEqual([true, 0, 3]);
});

describe("what a block status asks for", () => {
  const agreed = [
    { id: 1, name: "base:allocation" },
    { id: 2, name: "test:second" },
  ];
  const plain = { ...emptyRequestHeader(), type: command.blockStatus, length: 4096 };
  const filtered = (payload: Buffer) => ({
    ...plain,
    flags: commandFlag.payloadLength,
    length: payload.length,
    payloadBytes: payload.length,
  });

  test("is all that was agreed on, without a payload", () => {
    expect(statusQuestion(plain, agreed, Buffer.alloc(0), 0)).toEqual({ length: 4096, contexts: agreed });
  });

  test("is what the payload names, in its order, of the length that it says", () => {
    const payload = statusPayload(2 ** 40, [2, 1]);
    const bytes = Buffer.concat([Buffer.alloc(3), payload]);
    expect(statusQuestion(filtered(payload), agreed, bytes, 3)).toEqual({
      length: 2 ** 40,
      contexts: [agreed[1], agreed[0]],
    });
  });

  test.each([
    ["named twice", [1, 1]],
    ["never agreed on", [1, 3]],
  ])("is nothing with a context %s", (_what, ids) => {
    const payload = statusPayload(4096, ids);
    expect(statusQuestion(filtered(payload), agreed, payload, 0)).toBeUndefined();
  });

  test("has at least one context, and whole ones", () => {
    expect([0, 8, 11, 12, 13, 16].filter(isStatusPayloadLength)).toEqual([12, 16]);
  });
});
