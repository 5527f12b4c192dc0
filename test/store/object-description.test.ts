import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { putLe16 } from "#src/core/little-endian.ts";
import { describeObject, type ObjectItem, objectLine } from "#src/store/object-description.ts";
import type { PartPlace } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { BytesObject } from "./bytes-object.ts";
import { facts, makeObject, objectName, somePlainParts, storeKey } from "./small-object.ts";

async function described(bytes: BytesObject): Promise<ObjectItem[]> {
  const items: ObjectItem[] = [];
  for await (const item of describeObject(bytes, objectName)) items.push(item);
  return items;
}

const kindsOf = (items: readonly ObjectItem[]) => items.map((item) => item.kind).join(" ");
const whole = "header part part part part part part part footer";

test.each([undefined, storeKey])("header, parts and footer are told in their order, without a key", async (key) => {
  const { bytes, parts, places } = await makeObject(somePlainParts(), { key });
  const items = await described(bytes);
  expect(kindsOf(items)).toBe(whole);
  const { kind: _, ...rest } = facts;
  expect(items[0]).toMatchObject({ objectKind: "segment", isEncrypted: key !== undefined, ...rest });
  for (const [index, { offset, storedBytes, number }] of places.entries()) {
    const plainBytes = parts[index]?.content.length;
    expect(items[index + 1]).toMatchObject({ kind: "part", number, offset, storedBytes, plainBytes });
  }
  expect(items.map((item) => (item.kind === "part" ? `${item.type} ${item.codec}` : "")).slice(1, 8)).toEqual([
    "frame as it is",
    "frame zstd",
    "frame as it is",
    "frame zstd",
    "slots zstd",
    "fingerprints as it is",
    "table as it is",
  ]);
});

test("as lines of text", async () => {
  const { bytes } = await makeObject(somePlainParts().slice(0, 2));
  const lines = (await described(bytes)).map(objectLine);
  expect(lines[0]).toMatch(
    /^object segments\/000000000007\.0002, \d+ bytes: segment 7, generation 2, level 3, group 0011/,
  );
  expect(lines[0]).toMatch(/, not encrypted, salt [0-9a-f]{32}$/);
  expect(lines[1]).toBe("  frame 0 at byte 128, 92 bytes: 60 bytes as they are");
  expect(lines[2]).toMatch(/^ {2}frame 4 at byte 220, \d+ bytes: 200 bytes by zstd$/);
  expect(lines[3]).toMatch(/^ {2}table 0 at byte \d+, 51 bytes: 19 bytes as they are$/);
  expect(lines[4]).toMatch(/^footer: table at byte \d+, 51 bytes; made 2023-11-14T22:13:20.123Z; numbers (09){64}$/);
});

test("fault 18: of every bit that has flipped it is told where, and all else is told too", async () => {
  const { bytes } = await makeObject(somePlainParts());
  const sound = bytes.bytes;
  const expected = await described(bytes);
  for (let bit = 0; bit < sound.length * 8; bit++) {
    bytes.bytes = Buffer.from(sound);
    bytes.bytes[bit >>> 3] = (sound[bit >>> 3] as number) ^ (1 << (bit & 7));
    const items = await described(bytes);
    expect(items.length).toBe(expected.length);
    const other = items.filter((item, index) => JSON.stringify(item) !== JSON.stringify(expected[index]));
    expect(other.length).toBe(1);
    const [flaw] = other;
    expect(flaw).toMatchObject({ kind: "flaw" });
    if (flaw?.kind !== "flaw") continue;
    expect(flaw.offset <= bit >>> 3 && bit >>> 3 < flaw.offset + flaw.storedBytes).toBe(true);
  }
});

test("a damaged part is named in its line", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const { offset, storedBytes } = places[1] as PartPlace;
  bytes.bytes.fill(0, offset + storedBytes - 1, offset + storedBytes);
  const lines = (await described(bytes)).map(objectLine);
  expect(lines[2]).toBe(`  DAMAGED frame 4 at byte ${offset}, ${storedBytes} bytes: its checksum does not fit`);
});

test("parts are told without a header or without a footer, and nothing without both", async () => {
  const { bytes } = await makeObject(somePlainParts());
  const sound = bytes.bytes;
  bytes.bytes = Buffer.from(sound).fill(0, 0, 128);
  expect(kindsOf(await described(bytes))).toBe(whole.replace("header", "flaw"));
  bytes.bytes = sound.subarray(0, -128);
  const items = await described(bytes);
  expect(kindsOf(items)).toBe(whole.replace("footer", "flaw"));
  expect(items.at(-1)).toMatchObject({ thing: "footer", offset: sound.length - 128, finding: "it is not there" });
  bytes.bytes = Buffer.alloc(sound.length, "nothing of the kind");
  expect(kindsOf(await described(bytes))).toBe("flaw flaw");
});

test("an object that is cut off anywhere is told up to there", async () => {
  const { bytes } = await makeObject(somePlainParts());
  const sound = bytes.bytes;
  for (let length = 0; length < sound.length; length++) {
    bytes.bytes = sound.subarray(0, length);
    const items = await described(bytes);
    expect(items.at(-1)).toMatchObject({ kind: "flaw", thing: "footer" });
  }
});

test("a footer of another object, or one that tells of another table, is a flaw", async () => {
  const one = await makeObject(somePlainParts(), { randomness: new SeededRandom(1) });
  const other = await makeObject(somePlainParts(), { randomness: new SeededRandom(2) });
  const sound = one.bytes.bytes;
  other.bytes.bytes.copy(one.bytes.bytes, sound.length - 128, sound.length - 128);
  expect((await described(one.bytes)).at(-1)).toMatchObject({ kind: "flaw", finding: "it belongs to another object" });
});

test("another version is refused", async () => {
  const { bytes } = await makeObject(somePlainParts());
  putLe16(bytes.bytes, 4, 3);
  bytes.bytes.fill(0, 120, 128);
  await expect(described(bytes)).rejects.toThrow(RefuseError);
});
