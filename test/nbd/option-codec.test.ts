import { describe, expect, test } from "vitest";
import { nbdMetaQueryCountMax } from "#src/core/nbd-limits.ts";
import { handshakeFlag, info, option, optionReply, transmissionFlag } from "#src/nbd/constants.ts";
import {
  decodeBlockSizeInfo,
  decodeExportInfo,
  decodeGreeting,
  decodeInfoRequest,
  decodeInfoType,
  decodeMetaContext,
  decodeMetaContextRequest,
  decodeOptionHeader,
  decodeOptionReplyHeader,
  decodeServerItem,
  decodeTextInfo,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeGreeting,
  encodeInfoRequest,
  encodeMetaContext,
  encodeMetaContextRequest,
  encodeOption,
  encodeOptionReply,
  encodeServerItem,
  encodeTextInfo,
} from "#src/nbd/option-codec.ts";

const names = ["", "disk", "naïve/ü", "n".repeat(4096)];

/** Each shorter piece of a message, and the message with one byte too many. */
function* wrongLengths(bytes: Buffer): Generator<Buffer> {
  for (let end = 0; end < bytes.length; end++) yield bytes.subarray(0, end);
  yield Buffer.concat([bytes, Buffer.alloc(1)]);
}

describe("the bytes of a handshake message", () => {
  test.each([
    ["a greeting", encodeGreeting(3), "4e42444d41474943" + "49484156454f5054" + "0003"],
    [
      "an option",
      encodeOption(option.exportName, Buffer.from("ab")),
      "49484156454f5054" + "00000001" + "00000002" + "6162",
    ],
    [
      "a reply",
      encodeOptionReply(option.go, optionReply.ack, Buffer.alloc(0)),
      "0003e889045565a9" + "00000007" + "00000001" + "00000000",
    ],
    [
      "a request of GO",
      encodeInfoRequest({ name: "ab", wanted: [3, 1] }),
      "00000002" + "6162" + "0002" + "0003" + "0001",
    ],
    [
      "a request for contexts",
      encodeMetaContextRequest({ name: "a", queries: ["b:", "c:d"] }),
      "00000001" + "61" + "00000002" + "00000002" + "623a" + "00000003" + "633a64",
    ],
    ["an export's size", encodeExportInfo(2 ** 40, transmissionFlag.hasFlags), "0000" + "0000010000000000" + "0001"],
    [
      "block sizes",
      encodeBlockSizeInfo({ minimumBytes: 512, preferredBytes: 4096, payloadBytesMax: 0xffffffff }),
      "0003" + "00000200" + "00001000" + "ffffffff",
    ],
    ["a description", encodeTextInfo(info.description, "ab"), "0002" + "6162"],
    ["an item of a list", encodeServerItem("ab", "c"), "00000002" + "6162" + "63"],
    ["a context", encodeMetaContext(7, "b:c"), "00000007" + "623a63"],
  ])("are those of the protocol in %s", (_, bytes, hex) => {
    expect(bytes.toString("hex")).toBe(hex);
  });
});

describe("a greeting", () => {
  test.each([0, handshakeFlag.fixedNewstyle, 0xffff])("brings the flags %d", (flags) => {
    expect(decodeGreeting(encodeGreeting(flags))).toBe(flags);
  });

  test("is refused when any byte of its magic numbers is wrong", () => {
    for (let at = 0; at < 16; at++) {
      const bytes = encodeGreeting(3);
      bytes[at] = (bytes[at] as number) ^ 0x80;
      expect(decodeGreeting(bytes)).toBeUndefined();
    }
  });
});

describe("an option and its reply", () => {
  test("come back whole, at any place of a buffer", () => {
    const data = Buffer.from("data");
    const asked = Buffer.concat([Buffer.alloc(3), encodeOption(0xffffffff, data)]);
    expect(decodeOptionHeader(asked, 3)).toEqual({ option: 0xffffffff, dataBytes: 4 });
    const answered = Buffer.concat([Buffer.alloc(3), encodeOptionReply(option.list, 0x80000001, data)]);
    expect(decodeOptionReplyHeader(answered, 3)).toEqual({ option: option.list, type: 0x80000001, dataBytes: 4 });
  });

  test("are refused when any byte of the magic number is wrong", () => {
    for (let at = 0; at < 8; at++) {
      const asked = encodeOption(option.list, Buffer.alloc(0));
      asked[at] = (asked[at] as number) ^ 1;
      expect(decodeOptionHeader(asked, 0)).toBeUndefined();
      const answered = encodeOptionReply(option.list, 1, Buffer.alloc(0));
      answered[at] = (answered[at] as number) ^ 1;
      expect(decodeOptionReplyHeader(answered, 0)).toBeUndefined();
    }
  });
});

describe("a request of INFO and GO", () => {
  test.each(names)("comes back whole with the name %s", (name) => {
    for (const wanted of [[], [info.blockSize], [0, 1, 2, 3, 0xffff]]) {
      expect(decodeInfoRequest(encodeInfoRequest({ name, wanted }))).toEqual({ name, wanted });
    }
  });

  test("is refused with any other length", () => {
    for (const bytes of wrongLengths(encodeInfoRequest({ name: "disk", wanted: [1, 2] }))) {
      expect(decodeInfoRequest(bytes)).toBeUndefined();
    }
  });

  test("is refused with a name that is too long", () => {
    expect(decodeInfoRequest(encodeInfoRequest({ name: "n".repeat(4097), wanted: [] }))).toBeUndefined();
  });
});

describe("a request for contexts", () => {
  test.each(names)("comes back whole with the name %s", (name) => {
    for (const queries of [[], [""], ["base:allocation", "x-more:ü"]]) {
      expect(decodeMetaContextRequest(encodeMetaContextRequest({ name, queries }))).toEqual({ name, queries });
    }
  });

  test("is refused with any other length", () => {
    for (const bytes of wrongLengths(encodeMetaContextRequest({ name: "disk", queries: ["a:", "b:c"] }))) {
      expect(decodeMetaContextRequest(bytes)).toBeUndefined();
    }
  });

  test("may have as many queries as the limit, not more", () => {
    const queries = Array.from({ length: nbdMetaQueryCountMax }, (_, index) => `x:${index}`);
    expect(decodeMetaContextRequest(encodeMetaContextRequest({ name: "", queries }))).toEqual({ name: "", queries });
    const more = encodeMetaContextRequest({ name: "", queries: [...queries, "x:more"] });
    expect(decodeMetaContextRequest(more)).toBe("too-many");
  });
});

describe("information about an export", () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER])("brings a size of %d", (sizeBytes) => {
    const bytes = encodeExportInfo(sizeBytes, 0xffff);
    expect(decodeInfoType(bytes)).toBe(info.export);
    expect(decodeExportInfo(bytes)).toEqual({ sizeBytes, transmissionFlags: 0xffff });
  });

  test("brings block sizes", () => {
    const sizes = { minimumBytes: 1, preferredBytes: 65536, payloadBytesMax: 0xffffffff };
    expect(decodeInfoType(encodeBlockSizeInfo(sizes))).toBe(info.blockSize);
    expect(decodeBlockSizeInfo(encodeBlockSizeInfo(sizes))).toEqual(sizes);
  });

  test("brings texts, empty ones too", () => {
    for (const text of names) {
      const bytes = encodeTextInfo(info.name, text);
      expect(decodeInfoType(bytes)).toBe(info.name);
      expect(decodeTextInfo(bytes)).toBe(text);
    }
  });

  test("is refused with any other length", () => {
    for (const bytes of wrongLengths(encodeExportInfo(1, 1))) expect(decodeExportInfo(bytes)).toBeUndefined();
    const sizes = { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 65536 };
    for (const bytes of wrongLengths(encodeBlockSizeInfo(sizes))) expect(decodeBlockSizeInfo(bytes)).toBeUndefined();
    expect(decodeInfoType(Buffer.alloc(1))).toBeUndefined();
  });
});

describe("an item of a list and a context", () => {
  test.each(names)("come back whole with the name %s", (name) => {
    expect(decodeServerItem(encodeServerItem(name, ""))).toEqual({ name, description: "" });
    expect(decodeServerItem(encodeServerItem(name, "what it is"))).toEqual({ name, description: "what it is" });
    expect(decodeMetaContext(encodeMetaContext(0xffffffff, name))).toEqual({ id: 0xffffffff, name });
  });

  test("are refused when they end too early or their name is too long", () => {
    const item = encodeServerItem("disk", "");
    for (let end = 0; end < item.length; end++) expect(decodeServerItem(item.subarray(0, end))).toBeUndefined();
    expect(decodeServerItem(encodeServerItem("n".repeat(4097), ""))).toBeUndefined();
    for (let end = 0; end < 4; end++) expect(decodeMetaContext(Buffer.alloc(end))).toBeUndefined();
  });
});
