import { expect, test } from "vitest";
import { putLe16, putLe32 } from "#src/core/little-endian.ts";
import { partBytesMax } from "#src/core/store-limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { openPartEncryption } from "#src/host/part-encryption.ts";
import {
  PartCodec,
  type PartPlace,
  partHeadAt,
  partHeaderBytes,
  partRoomBytes,
  partStoredBytesMax,
  partType,
  unpackedPart,
} from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const random = new SeededRandom(3);
const salt = random.bytes(16);
const plainCodec = new PartCodec(salt, undefined);
const encryption = openPartEncryption(random.bytes(32), salt, Buffer.from("test"));
const encryptingCodec = new PartCodec(salt, encryption);
const both = [
  ["plain", plainCodec],
  ["encrypted", encryptingCodec],
] as const;
const offset = 2 ** 33 + 777;
const compressible = Buffer.alloc(1000, "again and ");

function encoded(codec: PartCodec, content: Buffer, type = partType.slots, number = 5) {
  const target = Buffer.alloc(partRoomBytes(content.length));
  const storedBytes = codec.encode({ type, number }, offset, content, 0, content.length, target, 0);
  const place: PartPlace = { type, number, offset, storedBytes };
  return { place, stored: target.subarray(0, storedBytes) };
}

/** With a checksum that fits again. */
function resummed(stored: Buffer, change: (stored: Buffer) => void): Buffer {
  const copy = Buffer.from(stored);
  change(copy);
  putChecksum(copy, 8, copy.length, copy, 0);
  return copy;
}

test.each(both)("parts of all lengths come back: %s", (_, codec) => {
  for (const length of [0, 1, 31, 32, 4096, 16_384, partBytesMax]) {
    for (const content of [random.bytes(length), Buffer.alloc(length, "x")]) {
      const { place, stored } = encoded(codec, content);
      expect(stored.length).toBeLessThanOrEqual(partStoredBytesMax);
      expect(unpackedPart(codec, place, stored, stored.length)).toEqual(content);
    }
  }
});

test("a part is compressed only where that saves a sixteenth", () => {
  expect(partHeadAt(encoded(plainCodec, compressible).stored, 0).codec).toBe(1);
  const chance = encoded(plainCodec, random.bytes(1000)).stored;
  expect(partHeadAt(chance, 0).codec).toBe(0);
  expect(chance.length).toBe(partHeaderBytes + 1000);
  const codecWith = (zeros: number) =>
    partHeadAt(encoded(plainCodec, Buffer.concat([random.bytes(16_384 - zeros), Buffer.alloc(zeros)])).stored, 0).codec;
  expect(codecWith(16_384 / 20)).toBe(0);
  expect(codecWith(16_384 / 10)).toBe(1);
});

test("what a part says of itself can be read without a key", () => {
  const { place, stored } = encoded(encryptingCodec, random.bytes(100));
  expect(partHeadAt(stored, 0)).toEqual({ type: 2, codec: 0, number: 5, storedBytes: 148, plainBytes: 100 });
  expect(place.storedBytes).toBe(148);
  expect(plainCodec.findingOf(place, stored, 0, stored.length)).toBeUndefined();
});

test("encrypted parts show nothing of what they hold, and the same twice is not the same", () => {
  const content = Buffer.from("a word that nobody may read");
  const { stored } = encoded(encryptingCodec, content);
  expect(stored.includes("word")).toBe(false);
  const elsewhere = Buffer.alloc(partRoomBytes(content.length));
  encryptingCodec.encode({ type: 2, number: 5 }, offset + 1, content, 0, content.length, elsewhere, 0);
  expect(elsewhere.subarray(32, 32 + content.length).equals(stored.subarray(32, 32 + content.length))).toBe(false);
});

test.each(both)("fault 18: every bit that has flipped is found: %s", (_, codec) => {
  for (const content of [compressible, random.bytes(40)]) {
    const { place, stored } = encoded(codec, content);
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const copy = Buffer.from(stored);
      copy[bit >>> 3] = (copy[bit >>> 3] as number) ^ (1 << (bit & 7));
      expect(codec.findingOf(place, copy, 0, copy.length)).toMatch(/^its checksum does not fit$|^it is not all there$/);
    }
  }
});

test.each(both)("a part that is cut off anywhere is not all there: %s", (_, codec) => {
  const { place, stored } = encoded(codec, compressible);
  for (let length = 0; length < stored.length; length++) {
    expect(codec.findingOf(place, stored, 0, length)).toBe("it is not all there");
  }
});

test("fault 19: a part of another place, another object, another type or another number is found", () => {
  const { place, stored } = encoded(plainCodec, compressible);
  const finding = (wanted: PartPlace, codec = plainCodec) => codec.findingOf(wanted, stored, 0, stored.length);
  expect(finding(place)).toBeUndefined();
  expect(finding({ ...place, offset: offset + 1 })).toBe("it belongs elsewhere");
  expect(finding({ ...place, offset: offset - 2 ** 32 })).toBe("it belongs elsewhere");
  expect(finding(place, new PartCodec(random.bytes(16), undefined))).toBe("it belongs elsewhere");
  expect(finding({ ...place, type: partType.frame })).toBe("it is another part");
  expect(finding({ ...place, number: 6 })).toBe("it is another part");
  expect(finding({ ...place, storedBytes: place.storedBytes + 1 })).toBe("it is another part");
});

test("who does not know the number takes any", () => {
  const { place, stored } = encoded(plainCodec, compressible);
  const { number: _, ...wanted } = place;
  expect(plainCodec.findingOf(wanted, stored, 0, stored.length)).toBeUndefined();
});

test("what no part says is found though its checksum fits", () => {
  const { place, stored } = encoded(plainCodec, compressible);
  const findings = [
    resummed(stored, (copy) => copy.fill(0, 8, 9)),
    resummed(stored, (copy) => copy.fill(99, 8, 9)),
    resummed(stored, (copy) => copy.fill(2, 9, 10)),
    resummed(stored, (copy) => putLe16(copy, 10, 1)),
    resummed(stored, (copy) => putLe16(copy, 10, 0x100)),
    resummed(stored, (copy) => putLe32(copy, 16, partBytesMax + 1)),
    resummed(stored, (copy) => putLe32(copy, 16, 2)),
  ].map((copy) => plainCodec.findingOf(place, copy, 0, copy.length));
  expect(new Set(findings)).toEqual(new Set(["it says of itself what cannot be"]));
});

test("a part that says another length than comes of it is not believed", () => {
  for (const content of [compressible, random.bytes(1000)]) {
    const { place, stored } = encoded(plainCodec, content);
    for (const claimed of [999, 1001, partBytesMax]) {
      const copy = resummed(stored, (bytes) => putLe32(bytes, 16, claimed));
      expect(unpackedPart(plainCodec, place, copy, copy.length)).toMatch(/^it (says|cannot)/);
    }
  }
});

test("a part is never written beyond its reader's room", () => {
  for (const content of [compressible, random.bytes(1000)]) {
    const { stored } = encoded(plainCodec, content);
    const target = Buffer.alloc(1010, 0xa5);
    expect(plainCodec.unpack(offset, stored, 0, target, 11)).toBe("it is longer than it may be");
    expect(target).toEqual(Buffer.alloc(1010, 0xa5));
    expect(plainCodec.unpack(offset, stored, 0, target, 10)).toBe(1000);
    expect(target.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xa5));
  }
});

test("another key, and bytes changed by somebody without one, are found by the tag", () => {
  const finding = "it was encrypted with another key, or changed by somebody who has none";
  const { place, stored } = encoded(encryptingCodec, compressible);
  const other = new PartCodec(salt, openPartEncryption(random.bytes(32), salt, Buffer.from("test")));
  expect(unpackedPart(other, place, stored, stored.length)).toBe(finding);
  for (const at of [8, 9, 20, partHeaderBytes, stored.length - 1]) {
    const copy = resummed(stored, (bytes) => {
      bytes[at] = (bytes[at] as number) ^ 1;
    });
    // Whoever wants this part by what it says now gets none either.
    const { type, number } = partHeadAt(copy, 0);
    const wanted = { ...place, type: type as PartPlace["type"], number };
    expect(unpackedPart(encryptingCodec, wanted, copy, copy.length)).toBe(finding);
  }
});

test("an encrypted part without room for its tag is none", () => {
  const stored = resummed(encoded(plainCodec, random.bytes(10)).stored, () => undefined);
  expect(encryptingCodec.unpack(offset, stored, 0, Buffer.alloc(100), 0)).toBe("it says of itself what cannot be");
});

test("a part that is too long, or has no room, is a fault of the caller", () => {
  const long = Buffer.alloc(partBytesMax + 1);
  const part = { type: partType.frame, number: 0 };
  expect(() => plainCodec.encode(part, 128, long, 0, long.length, Buffer.alloc(2 * partBytesMax), 0)).toThrow(
    "too long",
  );
  expect(() => plainCodec.encode(part, 128, long, 0, 100, Buffer.alloc(partRoomBytes(100) - 1), 0)).toThrow("room");
});
