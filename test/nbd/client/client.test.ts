import { describe, expect, test } from "vitest";
import { NbdRequestError } from "#src/nbd/client/errors.ts";
import { command, commandFlag, transmissionFlag } from "#src/nbd/constants.ts";
import { allFlags, open, simpleReply } from "./scripted-peer.ts";

const sizeBytes = 1 << 20;
const blockSizes = { minimumBytes: 512, preferredBytes: 4096, payloadBytesMax: 65536 };
const { hasFlags } = transmissionFlag;

describe("what a server says of its export", () => {
  test.each([
    ["readOnly", transmissionFlag.readOnly],
    ["canFlush", transmissionFlag.sendFlush],
    ["canFua", transmissionFlag.sendFua],
    ["canTrim", transmissionFlag.sendTrim],
    ["canWriteZeroes", transmissionFlag.sendWriteZeroes],
    ["canFastZero", transmissionFlag.sendFastZero],
    ["canCache", transmissionFlag.sendCache],
    ["canDoNotFragment", transmissionFlag.sendDf],
    ["canMultiConn", transmissionFlag.canMultiConn],
    ["rotational", transmissionFlag.rotational],
  ] as const)("is known by name: %s", async (name, flag) => {
    const { client } = await open({ transmissionFlags: hasFlags | flag });
    expect(Object.entries(client.flags).filter(([, isSet]) => isSet)).toEqual([[name, true]]);
  });

  test("is known in full, or by what the protocol means where nothing is said", async () => {
    const full = await open({ sizeBytes, blockSizes, contextIds: [4] });
    expect(full.client).toMatchObject({ sizeBytes, blockSizes, contexts: ["x:4"], style: "structured" });
    const silent = await open({ style: "simple" });
    expect(silent.client).toMatchObject({
      exportName: "disk",
      description: "",
      contexts: [],
      style: "simple",
      blockSizes: { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 1 << 25 },
    });
  });
});

describe("a request that does not suit the export", () => {
  const one = Buffer.alloc(512);

  test.each([
    [
      "a write to a read-only export",
      hasFlags | transmissionFlag.readOnly,
      command.write,
      0,
      "the export is read-only",
    ],
    ["a trim on a read-only export", allFlags | transmissionFlag.readOnly, command.trim, 0, "the export is read-only"],
    ["a flush", hasFlags, command.flush, 0, "the server cannot flush"],
    ["a trim", hasFlags, command.trim, 0, "the server cannot trim"],
    ["a write of zeroes", hasFlags, command.writeZeroes, 0, "the server cannot write zeroes"],
    ["FUA", hasFlags, command.write, commandFlag.fua, "the server does not know the flag FUA"],
    [
      "a fast zero",
      hasFlags | transmissionFlag.sendWriteZeroes,
      command.writeZeroes,
      commandFlag.fastZero,
      "the server does not know the flag FAST_ZERO",
    ],
    ["a flag of another command", allFlags, command.trim, commandFlag.noHole, "the flag NO_HOLE is not for it"],
    ["a flag that does not exist", allFlags, command.write, 1 << 15, "the flags 0x8000 are not known"],
  ])("is refused without asking the server: %s", async (_, transmissionFlags, type, flags, words) => {
    const { client, requests } = await open({ style: "simple", sizeBytes, transmissionFlags });
    const told: (Error | null)[] = [];
    const done = (error: Error | null) => void told.push(error);
    if (type === command.write) client.submitWrite(0, one, 0, 512, flags, done);
    else if (type === command.trim) client.submitTrim(0, 512, flags, done);
    else if (type === command.writeZeroes) client.submitWriteZeroes(0, 512, flags, done);
    else client.submitFlush(done);
    expect(told).toEqual([]);
    expect(requests()).toEqual([]);
    expect(told).toEqual([expect.any(NbdRequestError)]);
    expect(told[0]?.message).toContain(words);
    expect(client.failure).toBeUndefined();
  });

  test.each([
    ["before the start", -512, 512, "whole numbers"],
    ["at no whole number", 0.5, 512, "whole numbers"],
    ["of no number of bytes", 0, Number.NaN, "whole numbers"],
    ["of no bytes", 0, 0, "about no bytes"],
    ["beyond the end", sizeBytes - 512, 1024, `the export has ${sizeBytes} bytes`],
    ["behind the end", 2 * sizeBytes, 512, `the export has ${sizeBytes} bytes`],
    ["of all there could be", 512, Number.MAX_SAFE_INTEGER, `the export has ${sizeBytes} bytes`],
    ["that begins within a block", 1, 512, "whole blocks of 512 bytes"],
    ["that ends within a block", 0, 513, "whole blocks of 512 bytes"],
  ])("is refused before memory is taken for it: a read %s", async (_, offset, lengthBytes, words) => {
    const { client, requests } = await open({ style: "simple", sizeBytes, blockSizes });
    const reading = client.read(offset, lengthBytes);
    await expect(reading).rejects.toThrow(NbdRequestError);
    await expect(reading).rejects.toThrow(words);
    expect(requests()).toEqual([]);
  });

  test("is refused when its buffer is too small", async () => {
    const { client, clock } = await open({ style: "simple", sizeBytes });
    const told: string[] = [];
    const done = (error: Error | null) => void told.push(error?.message ?? "ok");
    client.submitRead(0, one, 1, 512, done);
    client.submitWrite(0, one, -1, 512, 0, done);
    client.submitWrite(0, one, 0, 513, 0, done);
    clock.turn();
    expect(told).toHaveLength(3);
    for (const message of told) expect(message).toContain("its buffer has 512 bytes");
  });

  test("is refused when it cannot be one piece although it must be", async () => {
    const { client } = await open({ sizeBytes, blockSizes });
    await expect(client.read(0, 65536 + 512, { doNotFragment: true })).rejects.toThrow("at most 65536 bytes");
  });

  test("is refused when it asks for block status without a context", async () => {
    const { client } = await open({ sizeBytes });
    await expect(client.blockStatus(0, 512)).rejects.toThrow("no metadata context was agreed upon");
  });
});

describe("a request", () => {
  test("has the flags that its options stand for", async () => {
    const { client, requests, wire } = await open({ style: "simple", sizeBytes });
    const asked = [
      client.write(0, Buffer.of(1), { fua: true }),
      client.trim(1, 2, { fua: true }),
      client.writeZeroes(3, 4, { fua: true, noHole: true, fastZero: true }),
      client.writeZeroes(5, 6),
      client.cache(7, 8),
      client.flush(),
    ];
    const heard = requests();
    wire.say(...heard.map((request) => simpleReply(request)));
    await Promise.all(asked);
    const { fua, noHole, fastZero } = commandFlag;
    expect(heard.map(({ type, flags, offset, length }) => [type, flags, offset, length])).toEqual([
      [command.write, fua, 0, 1],
      [command.trim, fua, 1, 2],
      [command.writeZeroes, fua | noHole | fastZero, 3, 4],
      [command.writeZeroes, 0, 5, 6],
      [command.cache, 0, 7, 8],
      [command.flush, 0, 0, 0],
    ]);
  });

  test("to cache is cut like a read, and block status to what a header can hold", async () => {
    const cached = await open({ style: "simple", sizeBytes, blockSizes });
    cached.client.cache(0, 2 * 65536).catch(() => {});
    expect(cached.requests().map(({ length }) => length)).toEqual([65536, 65536]);
    const asked = await open({ sizeBytes: 2 ** 40, contextIds: [1] });
    asked.client.blockStatus(0, 2 ** 40).catch(() => {});
    expect(asked.requests().map(({ length }) => length)).toEqual([2 ** 32 - 65536]);
  });
});
