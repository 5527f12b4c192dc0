/** The bytes of each version of the object's format, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { putLe16 } from "#src/core/little-endian.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { kindNumbersBytes } from "#src/store/object-format.ts";
import { type PartPlace, partType } from "#src/store/part.ts";
import { BytesObject } from "./bytes-object.ts";
import { facts, fixedRandomness, makeObject, openObject, type PlainPart, storeKey } from "./small-object.ts";

/** Too short to be compressed: what zstd makes of the same bytes may differ from one of its versions to the next. */
const short: readonly PlainPart[] = [
  { type: partType.frame, number: 0, content: Buffer.from("blocks") },
  { type: partType.frame, number: 9, content: Buffer.from("and more blocks") },
  { type: partType.slots, number: 0, content: Buffer.from("what they are") },
  { type: partType.fingerprints, number: 0, content: Buffer.alloc(0) },
];
const long: readonly PlainPart[] = [
  { type: partType.frame, number: 0, content: Buffer.alloc(16_384, "blocks that are much the same ") },
  { type: partType.frame, number: 4, content: Buffer.alloc(4096, 7) },
];
const table = Buffer.from("table");

const golden = [
  { file: "object-v1.bin", parts: short, key: undefined },
  { file: "object-encrypted-v1.bin", parts: short, key: storeKey },
  { file: "object-compressed-v1.bin", parts: long, key: undefined },
  { file: "object-compressed-encrypted-v1.bin", parts: long, key: storeKey },
];

function goldenObject(file: string): BytesObject {
  const object = new BytesObject();
  object.bytes = readFileSync(new URL(`../golden/${file}`, import.meta.url));
  return object;
}

test.each(golden.slice(0, 2))("an object has the bytes that it always had: $file", async ({ file, parts, key }) => {
  const { bytes } = await makeObject(parts, { key, randomness: fixedRandomness, table });
  expect(bytes.bytes.toString("hex")).toBe(goldenObject(file).bytes.toString("hex"));
});

test.each(golden)("an object of version 1 can be read: $file", async ({ file, parts, key }) => {
  const object = await openObject(goldenObject(file), key);
  expect(object.header).toEqual({ ...facts, isEncrypted: key !== undefined, salt: fixedRandomness.bytes(16) });
  expect(object.footer.timeMicros).toBe(1_700_000_000_123_456);
  expect(object.footer.kindNumbers).toEqual(Buffer.alloc(kindNumbersBytes, 9));
  expect(object.table).toEqual(table);
  const found: (PlainPart & PartPlace)[] = [];
  for await (const part of object.parts()) {
    if (part instanceof ObjectDamageError) throw part;
    found.push({ ...part, content: Buffer.from(part.content) });
  }
  expect(found).toMatchObject([...parts, { type: partType.table, number: 0, content: table }]);
});

test("what is compressed is so in what is kept of version 1", () => {
  expect(goldenObject("object-compressed-v1.bin").bytes.length).toBeLessThan(1000);
});

test("an object of another version is refused in words", async () => {
  const object = goldenObject("object-v1.bin");
  putLe16(object.bytes, 4, 2);
  // Its checksum is of what it says now, or anywhere.
  object.bytes.fill(0xcc, 120, 128);
  await expect(openObject(object)).rejects.toThrow(RefuseError);
  await expect(openObject(object)).rejects.toThrow("segments/000000000007.0002 has version 2");
});
