import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import {
  chooseCopy,
  copyBytesOf,
  copyPositionOf,
  decodeCopy,
  encodeCopy,
  type ReadCopy,
} from "#src/interceptor/region-map-format.ts";

const owner = { id: "00112233445566778899aabbccddeeff", sizeBytes: 65_536 * MiB };
const state = {
  durableOrdinal: 0x0102030405,
  resyncWanted: true,
  tracking: false,
  unprotectedMicros: 0,
  redoing: false,
  base: "missing",
} as const;
const bits = new Uint8Array(8192).map((_, index) => index);

function copy(generation: number): Buffer {
  return encodeCopy(owner, { generation, state, bits });
}

test("a copy is read as it was written, in its place", () => {
  const found = decodeCopy(owner, copy(6), 0, 0);
  expect(found).toEqual({ kind: "whole", copy: { generation: 6, state, bits } });
  expect(decodeCopy(owner, copy(6), 0, 1).kind).toBe("damaged");
  expect([copyPositionOf(owner.sizeBytes, 6), copyPositionOf(owner.sizeBytes, 7)]).toEqual([
    0,
    copyBytesOf(owner.sizeBytes),
  ]);
});

test("the first bytes of version 1 are these", () => {
  const small = { id: owner.id, sizeBytes: 3 * MiB };
  const bytes = encodeCopy(small, { generation: 3, state, bits: Uint8Array.of(5) });
  expect(bytes.length).toBe(4096);
  expect(bytes.subarray(0, 64).toString("hex")).toBe(
    "544d524d01000000030000000000000000112233445566778899aabbccddeeff" +
      "00003000000000000000100000000000050403020100000001000000000000" +
      "00",
  );
  expect(bytes.subarray(504, 512).toString("hex")).toBe("9a20b1f44fdb5590");
  expect(bytes.subarray(512, 512 + 40).toString("hex")).toBe(
    "544d524d01000100030000000000000000112233445566778899aabbccddeeff0500000000000000",
  );
});

test("since when a source was written to without the appliance is told behind the flags", () => {
  const unprotectedMicros = 1_700_000_000_123_456;
  const bytes = encodeCopy(owner, { generation: 6, state: { ...state, unprotectedMicros }, bits });
  expect(bytes.readBigUInt64LE(32 + 32)).toBe(BigInt(unprotectedMicros));
  expect(decodeCopy(owner, bytes, 0, 0)).toMatchObject({ copy: { state: { unprotectedMicros } } });
});

test.each([
  ["missing", 1],
  ["copying", 5],
  ["complete", 9],
] as const)("what is known of the base is told by the flags: %s", (base, flags) => {
  const bytes = encodeCopy(owner, { generation: 6, state: { ...state, base }, bits });
  expect(bytes.readUInt32LE(32 + 24)).toBe(flags);
  expect(decodeCopy(owner, bytes, 0, 0)).toMatchObject({ copy: { state: { base } } });
});

test.each([
  [true, 17],
  [false, 1],
])("that a source is being brought up to date is told by the flags: %s", (redoing, flags) => {
  const bytes = encodeCopy(owner, { generation: 6, state: { ...state, redoing }, bits });
  expect(bytes.readUInt32LE(32 + 24)).toBe(flags);
  expect(decodeCopy(owner, bytes, 0, 0)).toMatchObject({ copy: { state: { redoing } } });
});

test("fault 11: a copy of which a power cut left some sectors out is torn, however they are cut", () => {
  const [before, after] = [copy(4), copy(6)];
  for (let cut = 512; cut < before.length && cut < 19 * 512; cut += 512) {
    const torn = Buffer.concat([after.subarray(0, cut), before.subarray(cut)]);
    expect(decodeCopy(owner, torn, 0, 0).kind, `cut at ${cut}`).toBe("torn");
  }
});

test("fault 18: a bit that has flipped anywhere in it is damage", () => {
  const bytes = copy(6);
  for (let at = 0; at < 19 * 512; at += 37) {
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    expect(["damaged"], `byte ${at}`).toContain(decodeCopy(owner, bytes, 0, 0).kind);
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
  }
});

describe("another's map is refused in words", () => {
  test.each([
    ["another volume", { ...owner, id: "ff".repeat(16) }, "it belongs to the volume 0011"],
    ["another size", { ...owner, sizeBytes: owner.sizeBytes - MiB }, "it is for a volume of 68719476736 bytes"],
  ])("%s", (_what, other, why) => {
    const found = decodeCopy(other, copy(6), 0, 0);
    expect(found).toMatchObject({ kind: "foreign", why: expect.stringContaining(why) });
  });
});

describe("of two copies is believed", () => {
  const whole = (generation: number): ReadCopy => decodeCopy(owner, copy(generation), 0, generation % 2);
  const torn: ReadCopy = { kind: "torn" };
  const damaged: ReadCopy = { kind: "damaged" };

  test.each([
    ["the newer", whole(6), whole(7), 7, false],
    ["the newer", whole(8), whole(7), 8, false],
    ["the whole one beside a torn one", whole(6), torn, 6, false],
    ["the whole one beside a torn one", torn, whole(7), 7, false],
    ["the whole one beside a damaged one, with doubt", whole(6), damaged, 6, true],
    ["the whole one beside a damaged one, with doubt", damaged, whole(7), 7, true],
  ])("%s", (_what, one, other, generation, isDoubtful) => {
    expect(chooseCopy(one, other)).toMatchObject({ copy: { generation }, isDoubtful });
  });

  test.each([
    [torn, damaged],
    [damaged, damaged],
    [torn, torn],
  ])("none", (one, other) => {
    expect(chooseCopy(one, other)).toBeUndefined();
  });
});
