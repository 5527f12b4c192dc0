import { describe, expect, test } from "vitest";
import { nbdClientExportCountMax, nbdMetaContextCountMax } from "#src/core/nbd-limits.ts";
import { NbdConnectionError, NbdOptionError, NbdProtocolError } from "#src/nbd/client/errors.ts";
import { type Goal, Handshake, type Step, type Wants } from "#src/nbd/client/handshake.ts";
import { handshakeFlag, info, option, optionError, optionReply, transmissionFlag } from "#src/nbd/constants.ts";
import {
  decodeInfoRequest,
  decodeMetaContextRequest,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeMetaContext,
  encodeServerItem,
  encodeTextInfo,
} from "#src/nbd/option-codec.ts";

const empty = Buffer.alloc(0);
const both = handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes;
const everything: Wants = { structured: true, extended: true, metaContexts: ["base:allocation", "x-two:"] };
const size = encodeExportInfo(1 << 20, transmissionFlag.hasFlags | transmissionFlag.sendFlush);

function opening(want: Wants = everything): Goal {
  return { kind: "open", exportName: "disk", want };
}

function sent(step: Step): number | Step["kind"] {
  return step.kind === "send" ? step.option : step.kind;
}

function greeted(handshake: Handshake, serverFlags = both): Step {
  return handshake.greeted(serverFlags).step;
}

function acknowledge(handshake: Handshake): Step {
  return handshake.replied(optionReply.ack, empty);
}

function refuse(handshake: Handshake, type: number = optionError.unsupported, text = ""): Step {
  return handshake.replied(type, Buffer.from(text));
}

/** A handshake that has come to GO, in the style that the server agrees to. */
function atGo(want: Wants = { structured: false, extended: false, metaContexts: [] }): Handshake {
  const handshake = new Handshake(opening(want), false);
  greeted(handshake);
  while (handshake.state !== "go") acknowledge(handshake);
  return handshake;
}

describe("opening an export", () => {
  test("asks for extended headers, contexts and the export when the server can do it all", () => {
    const handshake = new Handshake(opening(), false);
    expect(sent(greeted(handshake))).toBe(option.extendedHeaders);
    const contexts = acknowledge(handshake);
    expect(sent(contexts)).toBe(option.setMetaContext);
    const asked = contexts.kind === "send" ? decodeMetaContextRequest(contexts.data) : undefined;
    expect(asked).toEqual({ name: "disk", queries: everything.metaContexts });
    expect(sent(handshake.replied(optionReply.metaContext, encodeMetaContext(7, "base:allocation")))).toBe("wait");
    const go = acknowledge(handshake);
    expect(sent(go)).toBe(option.go);
    const wanted = [info.blockSize, info.name, info.description];
    expect(go.kind === "send" && decodeInfoRequest(go.data)).toEqual({ name: "disk", wanted });
    expect(sent(handshake.replied(optionReply.info, size))).toBe("wait");
    expect(acknowledge(handshake)).toEqual({
      kind: "over",
      outcome: {
        kind: "open",
        style: "extended",
        details: { sizeBytes: 1 << 20, flags: transmissionFlag.hasFlags | transmissionFlag.sendFlush },
        contexts: [{ id: 7, name: "base:allocation" }],
      },
    });
    expect(handshake.state).toBe("over");
  });

  test("goes down step by step with a server that can do nothing", () => {
    const handshake = new Handshake(opening(), false);
    expect(sent(greeted(handshake))).toBe(option.extendedHeaders);
    expect(sent(refuse(handshake))).toBe(option.structuredReply);
    expect(sent(refuse(handshake))).toBe(option.go);
    const byName = refuse(handshake);
    expect(byName).toEqual({ kind: "send", option: option.exportName, data: Buffer.from("disk") });
    const over = handshake.exportAnswered({ sizeBytes: 5, flags: 1 });
    expect(over).toEqual({
      kind: "over",
      outcome: { kind: "open", style: "simple", details: { sizeBytes: 5, flags: 1 }, contexts: [] },
    });
  });

  test("asks for nothing that is not wanted", () => {
    const plain = new Handshake(opening({ structured: false, extended: false, metaContexts: ["base:"] }), false);
    expect(sent(greeted(plain))).toBe(option.go);
    const structured = new Handshake(opening({ structured: true, extended: false, metaContexts: [] }), false);
    expect(sent(greeted(structured))).toBe(option.structuredReply);
    expect(sent(acknowledge(structured))).toBe(option.go);
  });

  test("has no contexts when the server refuses them, even after naming some", () => {
    const handshake = new Handshake(opening(), false);
    greeted(handshake);
    acknowledge(handshake);
    handshake.replied(optionReply.metaContext, encodeMetaContext(1, "base:allocation"));
    expect(sent(refuse(handshake, optionError.tooBig))).toBe(option.go);
    handshake.replied(optionReply.info, size);
    expect(acknowledge(handshake)).toMatchObject({ outcome: { contexts: [] } });
  });

  test("takes the export by name alone from a server without options", () => {
    const handshake = new Handshake(opening(), false);
    const { clientFlags, step } = handshake.greeted(handshakeFlag.noZeroes);
    expect(clientFlags).toBe(handshakeFlag.noZeroes);
    expect(sent(step)).toBe(option.exportName);
  });

  test("claims no handshake flag that the server does not have", () => {
    expect(new Handshake(opening(), false).greeted(0xffff).clientFlags).toBe(both);
    expect(new Handshake(opening(), false).greeted(handshakeFlag.fixedNewstyle).clientFlags).toBe(1);
  });

  test("tells the server's refusal in its words, cleaned of what would confuse a terminal", () => {
    const handshake = atGo();
    const refused = () => refuse(handshake, optionError.unknown, "no\u001b[31m such\n disk");
    expect(refused).toThrow(NbdOptionError);
    expect(refused).toThrow('the server refused the export "disk": no such export, "no [31m such disk"');
  });

  test("cannot go by name once extended headers are agreed upon", () => {
    const handshake = atGo({ structured: true, extended: true, metaContexts: [] });
    expect(() => refuse(handshake)).toThrow(NbdOptionError);
  });

  test.each([optionError.tlsRequired, optionError.shutdown])("ends with the refusal %d of anything", (type) => {
    const handshake = new Handshake(opening(), false);
    greeted(handshake);
    expect(() => refuse(handshake, type)).toThrow(NbdOptionError);
  });
});

describe("TLS", () => {
  test("comes before all else, and the haggling begins after it", () => {
    const handshake = new Handshake(opening(), true);
    expect(sent(greeted(handshake))).toBe(option.startTls);
    expect(sent(acknowledge(handshake))).toBe("secure");
    expect(handshake.state).toBe("securing");
    expect(sent(handshake.secured())).toBe(option.extendedHeaders);
  });

  test("is never left out because a server refuses it", () => {
    const refused = new Handshake(opening(), true);
    greeted(refused);
    expect(() => refuse(refused)).toThrow("the server refused TLS: not supported");
    const old = new Handshake(opening(), true);
    expect(() => greeted(old, 0)).toThrow(NbdConnectionError);
  });
});

describe("information about an export", () => {
  test("is gathered in any order, and what is unknown is passed over", () => {
    const handshake = atGo();
    const blockSizes = { minimumBytes: 512, preferredBytes: 4096, payloadBytesMax: 65536 };
    handshake.replied(optionReply.info, encodeTextInfo(info.description, "what it is"));
    handshake.replied(optionReply.info, encodeBlockSizeInfo(blockSizes));
    handshake.replied(optionReply.info, encodeTextInfo(999, "unheard of"));
    handshake.replied(optionReply.info, size);
    handshake.replied(optionReply.info, encodeTextInfo(info.name, "canonical"));
    expect(acknowledge(handshake)).toMatchObject({
      outcome: { details: { sizeBytes: 1 << 20, blockSizes, description: "what it is", name: "canonical" } },
    });
  });

  test("counts flags for nothing when the first of them is not set", () => {
    const handshake = atGo();
    handshake.replied(optionReply.info, encodeExportInfo(5, 0xfffe));
    expect(acknowledge(handshake)).toMatchObject({ outcome: { details: { flags: 0 } } });
  });

  test("must tell the size", () => {
    const handshake = atGo();
    handshake.replied(optionReply.info, encodeTextInfo(info.name, "disk"));
    expect(() => acknowledge(handshake)).toThrow(NbdProtocolError);
  });

  test("is refused above what can be addressed", () => {
    const tooLarge = encodeExportInfo(0, 1);
    tooLarge.writeBigUInt64BE(2n ** 53n, 2);
    expect(() => atGo().replied(optionReply.info, tooLarge)).toThrow(NbdConnectionError);
  });

  test.each([
    ["no type", Buffer.alloc(1)],
    ["a size of a wrong length", size.subarray(0, 11)],
    [
      "block sizes of a wrong length",
      encodeBlockSizeInfo({ minimumBytes: 1, preferredBytes: 512, payloadBytesMax: 512 }).subarray(0, 13),
    ],
    ["a minimum of 0", encodeBlockSizeInfo({ minimumBytes: 0, preferredBytes: 4096, payloadBytesMax: 65536 })],
    [
      "a minimum that is no power of 2",
      encodeBlockSizeInfo({ minimumBytes: 3, preferredBytes: 4096, payloadBytesMax: 65536 }),
    ],
    [
      "a minimum above 64 KiB",
      encodeBlockSizeInfo({ minimumBytes: 131072, preferredBytes: 131072, payloadBytesMax: 1 << 20 }),
    ],
    [
      "a preferred size below the minimum",
      encodeBlockSizeInfo({ minimumBytes: 4096, preferredBytes: 512, payloadBytesMax: 65536 }),
    ],
    [
      "a preferred size that is no power of 2",
      encodeBlockSizeInfo({ minimumBytes: 1, preferredBytes: 4097, payloadBytesMax: 65536 }),
    ],
    [
      "a payload below the preferred size",
      encodeBlockSizeInfo({ minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 4095 }),
    ],
  ])("is refused with %s", (_, data) => {
    expect(() => atGo().replied(optionReply.info, data)).toThrow(NbdProtocolError);
  });
});

describe("a reply out of place", () => {
  test.each([
    ["an item of a list while opening", optionReply.server, encodeServerItem("a", "")],
    ["a context while opening", optionReply.metaContext, encodeMetaContext(1, "base:allocation")],
    ["an unknown type", 77, empty],
    ["an acknowledgement with data", optionReply.ack, Buffer.alloc(1)],
  ])("breaks the protocol: %s", (_, type, data) => {
    expect(() => atGo().replied(type, data)).toThrow(NbdProtocolError);
  });

  test("breaks the protocol: a context number twice, or too many contexts", () => {
    const handshake = new Handshake(opening(), false);
    greeted(handshake);
    acknowledge(handshake);
    const name = (id: number) => handshake.replied(optionReply.metaContext, encodeMetaContext(id, `x:${id}`));
    for (let id = 0; id < nbdMetaContextCountMax; id++) name(id);
    expect(() => name(0)).toThrow("two metadata contexts the number 0");
    expect(() => name(nbdMetaContextCountMax)).toThrow("more than");
    expect(() => handshake.replied(optionReply.metaContext, Buffer.alloc(3))).toThrow(NbdProtocolError);
  });
});

describe("a list of exports", () => {
  function listing(): Handshake {
    const handshake = new Handshake({ kind: "list" }, false);
    expect(sent(greeted(handshake))).toBe(option.list);
    return handshake;
  }

  test("has what the server names, described or not", () => {
    const handshake = listing();
    handshake.replied(optionReply.server, encodeServerItem("a", ""));
    handshake.replied(optionReply.server, encodeServerItem("", "the default"));
    const exports = [
      { name: "a", description: "" },
      { name: "", description: "the default" },
    ];
    expect(acknowledge(handshake)).toEqual({ kind: "over", outcome: { kind: "list", exports } });
  });

  test("is bounded", () => {
    const handshake = listing();
    for (let index = 0; index < nbdClientExportCountMax; index++) {
      handshake.replied(optionReply.server, encodeServerItem(`${index}`, ""));
    }
    expect(() => handshake.replied(optionReply.server, encodeServerItem("more", ""))).toThrow(NbdProtocolError);
  });

  test("is refused in words by a server that keeps it to itself or is too old", () => {
    expect(() => refuse(listing(), optionError.policy)).toThrow("the option list: forbidden by policy");
    expect(() => greeted(new Handshake({ kind: "list" }, false), 0)).toThrow("too old");
  });

  test("is refused when an item has a wrong form", () => {
    expect(() => listing().replied(optionReply.server, Buffer.alloc(3))).toThrow(NbdProtocolError);
  });
});

describe("the description of an export", () => {
  test("names the contexts that could be chosen", () => {
    const handshake = new Handshake({ kind: "describe", exportName: "disk" }, false);
    expect(sent(greeted(handshake))).toBe(option.structuredReply);
    expect(sent(acknowledge(handshake))).toBe(option.info);
    handshake.replied(optionReply.info, size);
    const list = acknowledge(handshake);
    expect(list.kind === "send" && decodeMetaContextRequest(list.data)).toEqual({ name: "disk", queries: [] });
    handshake.replied(optionReply.metaContext, encodeMetaContext(0, "base:allocation"));
    handshake.replied(optionReply.metaContext, encodeMetaContext(0, "x-two:a"));
    expect(acknowledge(handshake)).toMatchObject({
      outcome: { kind: "describe", contextNames: ["base:allocation", "x-two:a"], details: { sizeBytes: 1 << 20 } },
    });
  });

  test("goes without contexts where the server has none to tell of", () => {
    const simple = new Handshake({ kind: "describe", exportName: "disk" }, false);
    greeted(simple);
    expect(sent(refuse(simple))).toBe(option.info);
    simple.replied(optionReply.info, size);
    expect(acknowledge(simple)).toMatchObject({ outcome: { contextNames: [] } });
  });

  test("fails in words for an export that is not there", () => {
    const handshake = new Handshake({ kind: "describe", exportName: "disk" }, false);
    greeted(handshake);
    acknowledge(handshake);
    expect(() => refuse(handshake, optionError.unknown)).toThrow('the export "disk": no such export');
  });
});
