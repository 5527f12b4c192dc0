import { describe, expect, test } from "vitest";
import { nbdClientOptionRepliesBytesMax, nbdClientOptionReplyBytesMax } from "#src/core/nbd-limits.ts";
import { listExports } from "#src/nbd/client/connect.ts";
import { NbdConnectionError, NbdOptionError, NbdProtocolError } from "#src/nbd/client/errors.ts";
import { handshakeFlag, option, optionError, optionReply } from "#src/nbd/constants.ts";
import { encodeGreeting, encodeOptionReply, encodeServerItem } from "#src/nbd/option-codec.ts";
import { full } from "./recorded-session.ts";
import {
  begin,
  handshakeReplies,
  numbers,
  optionsFor,
  requestTimeoutMs,
  type Script,
  ScriptedClock,
  ScriptedConnection,
  wantFor,
} from "./scripted-peer.ts";

const none = Buffer.alloc(0);
const greeting = encodeGreeting(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes);
const plain: Script = { style: "simple" };

/** The options that were sent, without their data; the client's flags stand in front. */
function optionsIn(heard: Buffer): number[] {
  const options: number[] = [];
  for (let at = 4; at < heard.length; at += 16 + heard.readUInt32BE(at + 12)) {
    expect(heard.toString("latin1", at, at + 8)).toBe("IHAVEOPT");
    options.push(heard.readUInt32BE(at + 8));
  }
  return options;
}

describe("a handshake", () => {
  test("says one thing at a time, and nothing before it is answered", async () => {
    const { wire, client } = await begin(wantFor(full));
    const said: number[][] = [];
    let heard = none;
    for (const reply of handshakeReplies(full)) {
      wire.say(reply);
      heard = Buffer.concat([heard, wire.takeHeard()]);
      said.push(optionsIn(heard));
    }
    expect(heard.readUInt32BE(0)).toBe(3);
    const { extendedHeaders, setMetaContext, go } = option;
    expect(said.map((options) => options.length)).toEqual([1, 2, 2, 2, 3, 3, 3, 3]);
    expect(said.at(-1)).toEqual([extendedHeaders, setMetaContext, go]);
    expect(await client).toMatchObject({ style: "extended", contexts: ["x:7", "x:9"], sizeBytes: 2 ** 30 });
  });

  test("may arrive byte by byte", async () => {
    const { wire, client } = await begin(wantFor(full));
    for (const byte of Buffer.concat(handshakeReplies(full).slice(0, 1))) wire.say(Buffer.of(byte));
    for (const reply of handshakeReplies(full).slice(1)) for (const byte of reply) wire.say(Buffer.of(byte));
    expect((await client).style).toBe("extended");
  });

  test("goes by name with a server of the old kind, with and without its zeros", async () => {
    for (const flags of [0, handshakeFlag.noZeroes]) {
      const { wire, client } = await begin(wantFor({ style: "structured" }));
      wire.say(encodeGreeting(flags));
      expect(wire.takeHeard().subarray(4).toString("latin1")).toBe("IHAVEOPT\0\0\0\x01\0\0\0\x04disk");
      wire.say(numbers([64, 2 ** 40], [16, 1]), Buffer.alloc(flags === 0 ? 124 : 0));
      expect(await client).toMatchObject({ sizeBytes: 2 ** 40, style: "simple", contexts: [] });
    }
  });

  test("tells of a refusal and says goodbye", async () => {
    const { wire, client, clock } = await begin(wantFor(plain));
    wire.say(greeting);
    wire.say(encodeOptionReply(option.go, optionError.unknown, Buffer.from("gone")));
    await expect(client).rejects.toThrow(NbdOptionError);
    await expect(client).rejects.toThrow('the export "disk": no such export, "gone"');
    expect(optionsIn(wire.takeHeard())).toEqual([option.go, option.abort]);
    expect(wire.ending).toBe("ended");
    clock.advance(requestTimeoutMs);
    expect(wire.ending).toBe("destroyed");
  });

  const go = (type: number, data: Buffer = none) => encodeOptionReply(option.go, type, data);
  const old = Buffer.from("NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0", "latin1");

  test.each([
    ["no NBD server", [Buffer.from("HTTP/1.1 400 Bad Request\r\n")], "no NBD server"],
    ["a server of before 2011", [old], "one of before 2011"],
    ["a wrong magic number", [greeting, go(optionReply.ack).fill(0xff, 0, 1)], "wrong magic number"],
    ["another option", [greeting, encodeOptionReply(option.info, optionReply.ack, none)], "about option 6, but 7"],
    ["a reply of 4 GiB", [greeting, go(optionReply.info).fill(0xff, 16)], "has 4294967295 bytes"],
    ["a type that does not exist", [greeting, go(5)], "a reply of type 5"],
    ["success without a size", [greeting, go(optionReply.ack)], "without telling its size"],
    [
      "a byte too many",
      [greeting, Buffer.concat([...handshakeReplies(plain).slice(1), Buffer.of(0)])],
      "before it was asked",
    ],
    ["the answer before the question", [Buffer.concat([greeting, go(optionReply.info)])], "before it was asked"],
  ] as const)("with %s ends at once", async (_, said, words) => {
    const { wire, client, clock } = await begin(wantFor(plain));
    for (const bytes of said) wire.say(bytes);
    await expect(client).rejects.toThrow(NbdProtocolError);
    await expect(client).rejects.toThrow(words);
    expect(wire.ending).toBe("destroyed");
    clock.turn();
    expect(clock.timerCount).toBe(0);
  });

  test("takes a reply as long as the limit, and none longer", async () => {
    const longest = Buffer.concat([numbers([16, 2]), Buffer.alloc(nbdClientOptionReplyBytesMax - 2, "d")]);
    const taken = await begin(wantFor(plain));
    taken.wire.say(greeting);
    taken.wire.say(encodeOptionReply(option.go, optionReply.info, longest));
    for (const reply of handshakeReplies(plain).slice(1)) taken.wire.say(reply);
    expect((await taken.client).description).toHaveLength(nbdClientOptionReplyBytesMax - 2);
    const refused = await begin(wantFor(plain));
    refused.wire.say(greeting);
    refused.wire.say(encodeOptionReply(option.go, optionReply.info, Buffer.concat([longest, Buffer.of(0)])));
    await expect(refused.client).rejects.toThrow("which is too long");
  });

  test("bounds all that a server says to one option", async () => {
    const clock = new ScriptedClock();
    const wire = new ScriptedConnection(clock);
    const listing = listExports(optionsFor(clock, wire));
    listing.catch(() => {});
    await wire.started;
    wire.say(greeting);
    const item = encodeOptionReply(option.list, optionReply.server, encodeServerItem("n", "d".repeat(65000)));
    for (let saidBytes = 0; saidBytes <= nbdClientOptionRepliesBytesMax; saidBytes += item.length) wire.say(item);
    await expect(listing).rejects.toThrow("too long together");
  });
});

describe("a server that is silent in the handshake", () => {
  test.each(handshakeReplies(full).keys().toArray())("is given up after the time-out, at message %d", async (index) => {
    const { wire, client, clock } = await begin(wantFor(full));
    for (const reply of handshakeReplies(full).slice(0, index)) wire.say(reply);
    clock.advance(requestTimeoutMs - 1);
    expect(wire.ending).toBe("none");
    clock.advance(1);
    expect(wire.ending).toBe("destroyed");
    await expect(client).rejects.toThrow(NbdConnectionError);
    await expect(client).rejects.toThrow("did not answer in 1000 ms");
  });

  test("cannot stretch a step by letting bytes drip", async () => {
    const { wire, client, clock } = await begin(wantFor(plain));
    wire.say(greeting);
    for (const byte of encodeOptionReply(option.go, optionReply.info, Buffer.alloc(100))) {
      wire.say(Buffer.of(byte));
      clock.advance(requestTimeoutMs / 20);
    }
    await expect(client).rejects.toThrow("did not answer in 1000 ms");
  });
});
