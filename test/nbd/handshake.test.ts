import { describe, expect, test } from "vitest";
import { nbdMetaQueryCountMax, nbdNameBytesMax } from "#src/core/nbd-limits.ts";
import { Handshake, type Outcome, type TlsPolicy } from "#src/nbd/handshake.ts";
import { contextData, goData, number32, optionCode } from "#test/hostile/client-bytes.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";
import { parseOptionReply } from "#test/hostile/server-bytes.ts";

const refused = {
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  tlsRequired: 0x80000005,
  unknown: 0x80000006,
  tooBig: 0x80000009,
  extendedRequired: 0x8000000a,
};
const ack = 1;
const described = 3;
const context = 4;
const nothing = Buffer.alloc(0);
const disk = new ScriptedExport({ sizeBytes: 2 ** 40, memoryBytes: 0 });
const locked = new ScriptedExport({ features: { readOnly: true, rotational: true, fastZero: false, cache: false } });
const exportsByName = new Map([
  ["", disk],
  ["disk", disk],
  ["locked", locked],
  ["n".repeat(nbdNameBytesMax), disk],
]);

function haggling(tls: TlsPolicy = "off", noZeroes = true): Handshake {
  const directory = { find: (name: string) => exportsByName.get(name), list: () => [disk, locked] };
  return new Handshake(directory, tls, noZeroes);
}

/** The types of the replies, each of which must be a right one to this option. */
function typesOf(outcome: Outcome, code: number): number[] {
  return repliesOf(outcome).map((reply) => {
    expect(reply.option).toBe(code);
    return reply.type;
  });
}

function repliesOf(outcome: Outcome) {
  return outcome.replies.map((bytes) => {
    const reply = parseOptionReply(bytes, 0);
    if (reply === undefined || bytes.length !== 20 + reply.data.length) throw new Error("not one whole reply");
    return reply;
  });
}

function flagsAfter(handshake: Handshake, name = ""): number {
  const [first] = repliesOf(handshake.option(optionCode.info, goData(name)));
  return first?.data.readUInt16BE(10) ?? 0;
}

describe("EXPORT_NAME", () => {
  const answer = (handshake: Handshake, name: Buffer) => handshake.option(optionCode.exportName, name);

  test("gives size and flags, then 124 zeros", () => {
    const { replies, next } = answer(haggling("off", false), Buffer.from("disk"));
    const bytes = Buffer.concat(replies);
    expect(next).toBe("transmit");
    expect(bytes).toHaveLength(10 + 124);
    expect(bytes.readBigUInt64BE(0)).toBe(2n ** 40n);
    expect(bytes.readUInt16BE(8)).toBe(0b1101_0110_1101);
    expect(bytes.subarray(10).every((byte) => byte === 0)).toBe(true);
  });

  test("leaves the zeros out for a client that does not want them", () => {
    expect(Buffer.concat(answer(haggling("off", true), Buffer.from("disk")).replies)).toHaveLength(10);
  });

  test.each([0, nbdNameBytesMax])("takes a known name of %d bytes", (length) => {
    expect(answer(haggling(), Buffer.from("n".repeat(length))).next).toBe("transmit");
  });

  test.each([255, 256, nbdNameBytesMax + 1])(
    "closes on an unknown name of %d bytes, since it can't say no",
    (length) => {
      expect(answer(haggling(), Buffer.from("n".repeat(length)))).toEqual({ replies: [], next: "close" });
    },
  );

  test("closes where extended headers were agreed on, which it can't go with", () => {
    const handshake = haggling();
    handshake.option(optionCode.extendedHeaders, nothing);
    expect(answer(handshake, nothing)).toEqual({ replies: [], next: "close" });
  });

  test("keeps what was agreed on before", () => {
    const handshake = haggling();
    handshake.option(optionCode.structuredReply, nothing);
    answer(handshake, nothing);
    expect(handshake.agreement).toMatchObject({ target: disk, style: "structured", contexts: [] });
  });
});

describe("INFO and GO", () => {
  test("describe the export, with name and description only for those who want them", () => {
    for (const code of [optionCode.info, optionCode.go]) {
      expect(typesOf(haggling().option(code, goData("disk")), code)).toEqual([described, described, ack]);
      const all = haggling().option(code, goData("", [1, 2, 3, 77, 1]));
      const texts = repliesOf(all).filter(
        (reply) => reply.type === described && [1, 2].includes(reply.data.readUInt16BE()),
      );
      expect(texts.map((reply) => reply.data.toString("utf8", 2))).toEqual(["disk", "in memory"]);
    }
  });

  test("tell size, flags and block sizes", () => {
    const [size, blocks] = repliesOf(haggling().option(optionCode.info, goData("disk")));
    expect(size?.data.toString("hex")).toBe("0000" + "0000010000000000" + "0d6d");
    expect(blocks?.data.toString("hex")).toBe("0003" + "00000001" + "00001000" + "02000000");
  });

  test("INFO goes on haggling, GO begins the transmission", () => {
    expect(haggling().option(optionCode.info, goData()).next).toBe("haggle");
    const handshake = haggling();
    expect(handshake.option(optionCode.go, goData("locked")).next).toBe("transmit");
    expect(handshake.agreement.target).toBe(locked);
  });

  test.each([
    ["no data", nothing],
    ["half a name", number32(10)],
    ["a name longer than the option", Buffer.concat([number32(0xffffffff), Buffer.alloc(6)])],
    ["no count", goData().subarray(0, 5)],
    ["a count of more than there is", Buffer.concat([number32(0), Buffer.from([0, 2, 0, 0])])],
    ["a count of less than there is", Buffer.concat([goData(), nothing, Buffer.alloc(2)])],
    ["a name too long", goData("n".repeat(nbdNameBytesMax + 1))],
  ])("refuse %s", (_what, data) => {
    for (const code of [optionCode.info, optionCode.go]) {
      const outcome = haggling().option(code, data);
      expect(typesOf(outcome, code)).toEqual([refused.invalid]);
      expect(outcome.next).toBe("haggle");
    }
  });

  test("refuse a name that nobody knows, and go on", () => {
    const handshake = haggling();
    const outcome = handshake.option(optionCode.go, goData("nobody"));
    expect(typesOf(outcome, optionCode.go)).toEqual([refused.unknown]);
    expect(handshake.option(optionCode.go, goData("disk")).next).toBe("transmit");
  });
});

describe("transmission flags", () => {
  const sendDf = 1 << 7;
  const payload = 1 << 12;

  test("offer nothing that writes on a read-only export, and only what the export can", () => {
    expect(flagsAfter(haggling(), "locked").toString(2)).toBe((0b1_0001_1111).toString(2));
  });

  test("offer whole reads only to clients with structured replies or extended headers", () => {
    const handshake = haggling();
    expect(flagsAfter(handshake) & sendDf).toBe(0);
    handshake.option(optionCode.structuredReply, nothing);
    expect(flagsAfter(handshake) & sendDf).toBe(sendDf);
  });

  test("offer filtered block status only with extended headers and contexts", () => {
    const handshake = haggling();
    handshake.option(optionCode.structuredReply, nothing);
    handshake.option(optionCode.setMetaContext, contextData("", ["base:allocation"]));
    expect(flagsAfter(handshake) & payload).toBe(0);
    handshake.option(optionCode.extendedHeaders, nothing);
    expect(flagsAfter(handshake) & payload).toBe(payload);
  });
});

describe("LIST", () => {
  test("names every export with its description", () => {
    const replies = repliesOf(haggling().option(optionCode.list, nothing));
    expect(replies.map((reply) => reply.type)).toEqual([2, 2, ack]);
    expect(replies[0]?.data.toString("latin1")).toBe("\0\0\0\x04diskin memory");
  });

  test("takes no data", () => {
    expect(typesOf(haggling().option(optionCode.list, Buffer.alloc(1)), optionCode.list)).toEqual([refused.invalid]);
  });
});

describe("STRUCTURED_REPLY and EXTENDED_HEADERS", () => {
  test.each([optionCode.structuredReply, optionCode.extendedHeaders])("option %d takes no data", (code) => {
    const handshake = haggling();
    expect(typesOf(handshake.option(code, Buffer.alloc(4)), code)).toEqual([refused.invalid]);
    handshake.option(optionCode.go, goData());
    expect(handshake.agreement.style).toBe("simple");
  });

  test("extended headers win over structured replies, in either order", () => {
    const [first, second] = [haggling(), haggling()];
    first.option(optionCode.structuredReply, nothing);
    expect(typesOf(first.option(optionCode.extendedHeaders, nothing), optionCode.extendedHeaders)).toEqual([ack]);
    second.option(optionCode.extendedHeaders, nothing);
    const late = second.option(optionCode.structuredReply, nothing);
    expect(typesOf(late, optionCode.structuredReply)).toEqual([refused.extendedRequired]);
    for (const handshake of [first, second]) {
      handshake.option(optionCode.go, goData());
      expect(handshake.agreement.style).toBe("extended");
    }
  });
});

describe("metadata contexts", () => {
  const { setMetaContext, listMetaContext } = optionCode;

  function structured(): Handshake {
    const handshake = haggling();
    handshake.option(optionCode.structuredReply, nothing);
    return handshake;
  }

  function agreedAfterGo(handshake: Handshake, name = ""): readonly string[] {
    handshake.option(optionCode.go, goData(name));
    return handshake.agreement.contexts.map((one) => one.name);
  }

  test("are refused before structured replies", () => {
    for (const code of [setMetaContext, listMetaContext]) {
      const outcome = haggling().option(code, contextData("", ["base:allocation"]));
      expect(typesOf(outcome, code)).toEqual([refused.invalid]);
    }
  });

  test("SET selects what is named exactly, each with an id of its own", () => {
    const handshake = structured();
    const outcome = handshake.option(
      setMetaContext,
      contextData("", ["test:second", "base:", "base:allocation", "x:y"]),
    );
    const replies = repliesOf(outcome);
    expect(replies.map((reply) => reply.type)).toEqual([context, context, ack]);
    const ids = replies.slice(0, 2).map((reply) => reply.data.readUInt32BE());
    expect(new Set(ids).size).toBe(2);
    expect(agreedAfterGo(handshake)).toEqual(["base:allocation", "test:second"]);
  });

  test("SET with no queries selects none", () => {
    const handshake = structured();
    handshake.option(setMetaContext, contextData("", ["base:allocation"]));
    expect(typesOf(handshake.option(setMetaContext, contextData("", [])), setMetaContext)).toEqual([ack]);
    expect(agreedAfterGo(handshake)).toEqual([]);
  });

  test("a SET that fails selects none, whatever an earlier one selected", () => {
    const handshake = structured();
    handshake.option(setMetaContext, contextData("", ["base:allocation"]));
    handshake.option(setMetaContext, contextData("nobody", ["base:allocation"]));
    expect(agreedAfterGo(handshake)).toEqual([]);
  });

  test("what was selected for one export means nothing for another, and the default's name is no other", () => {
    const [other, alias] = [structured(), structured()];
    other.option(setMetaContext, contextData("locked", ["base:allocation"]));
    expect(agreedAfterGo(other)).toEqual([]);
    alias.option(setMetaContext, contextData("disk", ["base:allocation"]));
    expect(agreedAfterGo(alias)).toEqual(["base:allocation"]);
  });

  test.each([
    [[], 2],
    [["base:"], 1],
    [["test:", "base:"], 2],
    [["base:allocation"], 1],
    [["unknown:", "allocation", ""], 0],
  ])("LIST with the queries %j finds %d, and selects none", (queries, count) => {
    const handshake = structured();
    const types = typesOf(handshake.option(listMetaContext, contextData("", queries)), listMetaContext);
    expect(types).toEqual([...new Array<number>(count).fill(context), ack]);
    expect(agreedAfterGo(handshake)).toEqual([]);
  });

  test("too many queries are too many, and just not too many are answered", () => {
    const most = new Array<string>(nbdMetaQueryCountMax).fill("base:allocation");
    expect(typesOf(structured().option(listMetaContext, contextData("", most)), listMetaContext)).toEqual([
      context,
      ack,
    ]);
    const more = contextData("", [...most, "base:"]);
    expect(typesOf(structured().option(listMetaContext, more), listMetaContext)).toEqual([refused.tooBig]);
  });

  test.each([
    ["no data", nothing],
    ["no count", number32(0)],
    ["a query that ends early", contextData("", ["base:allocation"]).subarray(0, -1)],
    ["something after the last query", Buffer.concat([contextData("", ["base:allocation"]), Buffer.alloc(1)])],
    ["a query length of 4 GiB", Buffer.concat([number32(0), number32(1), number32(0xffffffff)])],
  ])("%s is malformed", (_what, data) => {
    for (const code of [setMetaContext, listMetaContext])
      expect(typesOf(structured().option(code, data), code)).toEqual([refused.invalid]);
  });
});

describe("ABORT and unknown options", () => {
  test("ABORT is acknowledged, with or without data, and ends it", () => {
    for (const data of [nothing, Buffer.from("why")]) {
      const outcome = haggling().option(optionCode.abort, data);
      expect(typesOf(outcome, optionCode.abort)).toEqual([ack]);
      expect(outcome.next).toBe("close");
    }
  });

  test.each([0, 4, 12, 0xffffffff])("option %d is not supported, and haggling goes on", (code) => {
    const outcome = haggling().option(code, Buffer.alloc(9));
    expect(typesOf(outcome, code)).toEqual([refused.unsupported]);
    expect(outcome.next).toBe("haggle");
  });
});

describe("TLS", () => {
  const start = (handshake: Handshake, data = nothing) => handshake.option(optionCode.startTls, data);

  test("is refused by policy where there is none", () => {
    expect(typesOf(start(haggling("off")), optionCode.startTls)).toEqual([refused.policy]);
  });

  test.each(["allow", "require"] as const)("begins where it is: %s", (policy) => {
    const outcome = start(haggling(policy));
    expect(typesOf(outcome, optionCode.startTls)).toEqual([ack]);
    expect(outcome.next).toBe("secure");
  });

  test("takes no data, and no second time", () => {
    const handshake = haggling("allow");
    expect(typesOf(start(handshake, Buffer.alloc(1)), optionCode.startTls)).toEqual([refused.invalid]);
    handshake.secured();
    expect(typesOf(start(handshake), optionCode.startTls)).toEqual([refused.invalid]);
  });

  test("fault 32: where it is required, everything else but ABORT is refused before it, known or not", () => {
    for (const code of [3, 6, 7, 8, 9, 10, 11, 99])
      expect(typesOf(haggling("require").option(code, goData()), code)).toEqual([refused.tlsRequired]);
    expect(haggling("require").option(optionCode.exportName, nothing)).toEqual({ replies: [], next: "close" });
    expect(typesOf(haggling("require").option(optionCode.abort, nothing), optionCode.abort)).toEqual([ack]);
  });

  test("where it is required, all is served behind it", () => {
    const handshake = haggling("require");
    start(handshake);
    handshake.secured();
    expect(handshake.option(optionCode.go, goData()).next).toBe("transmit");
  });

  test("fault 32: forgets all that was settled in plain text", () => {
    const handshake = haggling("allow");
    handshake.option(optionCode.extendedHeaders, nothing);
    handshake.option(optionCode.setMetaContext, contextData("", ["base:allocation"]));
    start(handshake);
    handshake.secured();
    handshake.option(optionCode.go, goData());
    expect(handshake.agreement).toMatchObject({ style: "simple", contexts: [] });
  });
});
