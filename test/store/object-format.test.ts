import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { putLe16, putLe64 } from "#src/core/little-endian.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  encodeObjectFooter,
  encodeObjectHeader,
  type ObjectFooter,
  type ObjectHeader,
  objectKind,
} from "#src/store/object-format.ts";

const header: ObjectHeader = {
  kind: objectKind.piece,
  isEncrypted: true,
  group: "00112233445566778899aabbccddeeff",
  number: 2 ** 53 - 1,
  generation: 2 ** 32 - 1,
  level: 5,
  salt: Buffer.from("0123456789abcdef"),
};
const footer: ObjectFooter = {
  sizeBytes: 2 ** 40 + 128,
  tableAt: 2 ** 40 - 500,
  tableBytes: 500,
  salt: Buffer.from("0123456789abcdef"),
  timeMicros: 1_700_000_000_123_456,
  kindNumbers: Buffer.alloc(64, 3),
};

const decodeHeader = (bytes: Buffer) => () => decodeObjectHeader(bytes, "an/object");
const decodeFooter = (bytes: Buffer) => () => decodeObjectFooter(bytes, "an/object");

/** With a checksum that fits again. */
function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  putChecksum(copy, 0, 120, copy, 120);
  return copy;
}

test("headers and footers come back", () => {
  expect(decodeObjectHeader(encodeObjectHeader(header), "")).toEqual(header);
  expect(decodeObjectHeader(encodeObjectHeader({ ...header, isEncrypted: false }), "").isEncrypted).toBe(false);
  expect(decodeObjectFooter(encodeObjectFooter(footer), "")).toEqual(footer);
});

test("what was decoded does not change with the bytes it came of", () => {
  const bytes = encodeObjectHeader(header);
  const decoded = decodeObjectHeader(bytes, "");
  bytes.fill(0);
  expect(decoded).toEqual(header);
});

test("fault 18: every bit that has flipped is damage, and named", () => {
  for (let bit = 0; bit < 128 * 8; bit++) {
    for (const [thing, bytes, decode] of [
      ["header", encodeObjectHeader(header), decodeHeader],
      ["footer", encodeObjectFooter(footer), decodeFooter],
    ] as const) {
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
      expect(decode(bytes)).toThrow(ObjectDamageError);
      expect(decode(bytes)).toThrow(`an/object is damaged in its ${thing}: `);
    }
  }
});

test("one that is too short is damage", () => {
  for (let length = 0; length < 128; length++) {
    expect(decodeHeader(encodeObjectHeader(header).subarray(0, length))).toThrow("it is not all there");
    expect(decodeFooter(encodeObjectFooter(footer).subarray(0, length))).toThrow("it is not all there");
  }
});

test("another version is refused in words, wherever it has its checksum", () => {
  const newer = encodeObjectHeader(header);
  putLe16(newer, 4, 2);
  newer.fill(0x77, 60, 128);
  expect(decodeHeader(newer)).toThrow(RefuseError);
  expect(decodeHeader(newer)).toThrow("an/object has version 2, and this program reads version 1");
  expect(decodeHeader(changed(encodeObjectHeader(header), (bytes) => putLe16(bytes, 4, 9)))).toThrow("has version 9");
  expect(decodeFooter(changed(encodeObjectFooter(footer), (bytes) => putLe16(bytes, 4, 9)))).toThrow("has version 9");
});

test("every reserved byte is looked at", () => {
  for (let at = 56; at < 120; at++) {
    const bytes = changed(encodeObjectHeader(header), (copy) => copy.fill(1, at, at + 1));
    expect(decodeHeader(bytes)).toThrow("something stands where nothing should");
  }
  for (const at of [6, 7, 28, 29, 30, 31]) {
    const bytes = changed(encodeObjectFooter(footer), (copy) => copy.fill(1, at, at + 1));
    expect(decodeFooter(bytes)).toThrow("something stands where nothing should");
  }
  for (let flag = 1; flag < 8; flag++) {
    const bytes = changed(encodeObjectHeader(header), (copy) => copy.fill(1 | (1 << flag), 7, 8));
    expect(decodeHeader(bytes)).toThrow("something stands where nothing should");
  }
});

test("what no object says is damage though its checksum fits", () => {
  for (const kind of [0, 4, 255]) {
    const bytes = changed(encodeObjectHeader(header), (copy) => copy.fill(kind, 6, 7));
    expect(decodeHeader(bytes)).toThrow(`there is no kind ${kind}`);
  }
  expect(decodeHeader(changed(encodeObjectHeader(header), (copy) => copy.fill(0xff, 24, 32)))).toThrow("its number");
});

test("a table that does not end where the footer begins is damage", () => {
  for (const [at, value] of [
    [8, 2 ** 40 + 129],
    [16, 2 ** 40 - 501],
    [16, 2 ** 53],
    [8, 0],
  ] as const) {
    expect(decodeFooter(changed(encodeObjectFooter(footer), (copy) => putLe64(copy, at, value)))).toThrow("its table");
  }
  const inTheHeader = changed(encodeObjectFooter(footer), (copy) => {
    putLe64(copy, 8, 127 + 500 + 128);
    putLe64(copy, 16, 127);
  });
  expect(decodeFooter(inTheHeader)).toThrow("its table");
  expect(() => encodeObjectFooter({ ...footer, tableAt: 0 })).toThrow("the table is the last part");
});
