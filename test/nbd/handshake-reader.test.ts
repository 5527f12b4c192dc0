import { describe, expect, test } from "vitest";
import { nbdNameBytesMax, nbdOptionBytesMax, nbdOptionCountMax, nbdOptionSkipBytesMax } from "#src/core/nbd-limits.ts";
import type { TlsPolicy } from "#src/nbd/handshake.ts";
import { HandshakeReader } from "#src/nbd/handshake-reader.ts";
import { clientFlags, contextData, goData, number32, option, optionCode } from "#test/hostile/client-bytes.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";
import { parseOptionReply } from "#test/hostile/server-bytes.ts";

const disk = new ScriptedExport();
const tooBig = 0x80000009;

function reading(tls: TlsPolicy = "off"): HandshakeReader {
  return new HandshakeReader({ find: (name) => (name === "" ? disk : undefined), list: () => [disk] }, tls);
}

/** "option:type" of each reply. */
function repliesIn(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const reply = parseOptionReply(bytes, at);
    if (reply === undefined) throw new Error("half a reply");
    found.push(`${reply.option}:${reply.type}`);
    at += 20 + reply.data.length;
  }
  return found;
}

describe("client flags", () => {
  test.each([0, 1, 2, 3])("%d are known", (flags) => {
    const reader = reading();
    reader.push(clientFlags(flags));
    expect(reader.state.name).toBe("option-header");
  });

  test.each([4, 7, 0x80000000, 0xffffffff])("%d are not, and close", (flags) => {
    const reader = reading();
    expect(reader.push(clientFlags(flags))).toEqual([]);
    expect(reader.state.name).toBe("closed");
  });
});

describe("options", () => {
  const session = Buffer.concat([
    clientFlags(),
    option(optionCode.list),
    option(99, Buffer.alloc(10)),
    option(optionCode.structuredReply),
    option(optionCode.setMetaContext, contextData("", ["base:allocation"])),
    option(optionCode.info, goData("nobody")),
    option(optionCode.go, goData("", [1, 2, 3])),
    Buffer.from("first requests"),
  ]);

  test("are answered the same wherever the bytes are cut", () => {
    const whole = reading();
    const answer = Buffer.concat(whole.push(session));
    expect(whole.state.name).toBe("transmit");
    for (let cut = 1; cut <= session.length - "first requests".length; cut++) {
      const reader = reading();
      const replies = [...reader.push(session.subarray(0, cut)), ...reader.push(session.subarray(cut))];
      expect(Buffer.concat(replies).equals(answer)).toBe(true);
      expect(reader.takeRest().toString()).toBe("first requests");
    }
  });

  test("come one byte at a time as well", () => {
    const reader = reading();
    const replies: Buffer[] = [];
    const end = session.length - "first requests".length;
    for (let at = 0; at < end; at++) replies.push(...reader.push(session.subarray(at, at + 1)));
    expect(Buffer.concat(replies).equals(Buffer.concat(reading().push(session)))).toBe(true);
  });

  test("what follows GO is left for the transmission", () => {
    const reader = reading();
    reader.push(session);
    expect(reader.takeRest().toString()).toBe("first requests");
    expect(reader.takeRest()).toHaveLength(0);
  });

  test("fault 30: without their magic number close", () => {
    const reader = reading();
    const bytes = option(optionCode.list);
    bytes[7] = 0;
    expect(reader.push(Buffer.concat([clientFlags(), bytes]))).toEqual([]);
    expect(reader.state.name).toBe("closed");
  });

  test.each([0, 255, 256, nbdNameBytesMax, nbdNameBytesMax + 1])("a name of %d bytes is answered", (length) => {
    const reader = reading();
    const replies = reader.push(Buffer.concat([clientFlags(), option(optionCode.info, goData("n".repeat(length)))]));
    expect(repliesIn(Buffer.concat(replies)).at(-1)).toBe(
      length === 0 ? "6:1" : length > nbdNameBytesMax ? `6:${0x80000003}` : `6:${0x80000006}`,
    );
  });

  test("fault 30: that are a little too long are skipped and refused, and the next one is understood", () => {
    const reader = reading();
    const long = option(optionCode.list, Buffer.alloc(nbdOptionBytesMax + 1));
    const replies = reader.push(Buffer.concat([clientFlags(), long, option(optionCode.abort)]));
    expect(repliesIn(Buffer.concat(replies))).toEqual([`3:${tooBig}`, "2:1"]);
  });

  test("that are just not too long are understood", () => {
    const reader = reading();
    const replies = reader.push(Buffer.concat([clientFlags(), option(99, Buffer.alloc(nbdOptionBytesMax))]));
    expect(repliesIn(Buffer.concat(replies))).toEqual([`99:${0x80000001}`]);
  });

  test.each([nbdOptionSkipBytesMax + 1, 0xffffffff])("that claim %d bytes close at once", (claimed) => {
    const reader = reading();
    expect(reader.push(Buffer.concat([clientFlags(), option(optionCode.go, Buffer.alloc(0), claimed)]))).toEqual([]);
    expect(reader.state.name).toBe("closed");
  });

  test("may be many, but not too many", () => {
    const reader = reading();
    reader.push(clientFlags());
    for (let count = 0; count < nbdOptionCountMax; count++) {
      expect(reader.push(option(optionCode.list))).toHaveLength(2);
    }
    expect(reader.push(option(optionCode.list))).toEqual([]);
    expect(reader.state.name).toBe("closed");
  });
});

describe("STARTTLS", () => {
  const start = Buffer.concat([clientFlags(), option(optionCode.startTls)]);

  test("stops the haggling until TLS stands, and goes on with nothing settled", () => {
    const reader = reading("require");
    expect(repliesIn(Buffer.concat(reader.push(start)))).toEqual(["5:1"]);
    expect(reader.state.name).toBe("secure");
    reader.secured();
    expect(repliesIn(Buffer.concat(reader.push(option(optionCode.go, goData()))))).toEqual(["7:3", "7:3", "7:1"]);
  });

  test.each([
    ["a whole option", option(optionCode.go, goData())],
    ["one byte", number32(0).subarray(0, 1)],
  ])("with %s of plain text behind it closes", (_what, behind) => {
    const reader = reading("allow");
    reader.push(Buffer.concat([start, behind]));
    expect(reader.state.name).toBe("closed");
  });
});
