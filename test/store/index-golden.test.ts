/** The bytes of what an index says of itself, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { readFilter, writeFilter } from "#src/store/filter-file.ts";
import { FingerprintFilter } from "#src/store/fingerprint-filter.ts";
import { decodeIndexAbout, encodeIndexAbout } from "#src/store/index-about-format.ts";
import { simIndexWorld } from "./index-world.ts";

const identity = Buffer.from("0f1e2d3c4b5a69788796a5b4c3d2e1f0", "hex");
const about = { store: Buffer.from("00112233445566778899aabbccddeeff", "hex"), identity, changeCount: 2 ** 40 + 3 };
const room = { bitsPerKey: 12, bytesMax: 4096 };

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

test("what an index says of itself has the bytes that it always had, and is read", () => {
  expect(encodeIndexAbout(about).toString("hex")).toBe(golden("index-about-v1.bin").toString("hex"));
  expect(decodeIndexAbout(golden("index-about-v1.bin"))).toEqual(about);
});

test("fault 29: an index of another version says so", () => {
  const bytes = golden("index-about-v1.bin");
  bytes[4] = 2;
  putChecksum(bytes, 0, 56, bytes, 56);
  expect(hasChecksum(bytes, 0, 56, bytes, 56)).toBe(true);
  expect(decodeIndexAbout(bytes)).toBe("it has version 2, and this program knows 1");
});

test("fault 18: no flipped bit in what an index says of itself goes unnoticed", () => {
  for (let bit = 0; bit < 64 * 8; bit++) {
    const bytes = golden("index-about-v1.bin");
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(decodeIndexAbout(bytes), `bit ${bit}`).toBeTypeOf("string");
  }
});

test("a filter has the bytes that it always had, and is read", () => {
  const { host } = simIndexWorld(1);
  const filter = FingerprintFilter.forKeys(40, room);
  const keys = Array.from(
    { length: 40 },
    (_, key) => [Math.imul(key, 0x9e3779b1) >>> 0, Math.imul(key, 0x85ebca6b) >>> 0] as const,
  );
  for (const [high, low] of keys) filter.add(high, low);
  const kept = { filter, identity, changeCount: about.changeCount, keyCount: 40 };
  writeFilter(host.files, "/index/a", kept);
  const bytes = golden("index-filter-v1.bin");
  const written = Buffer.alloc(host.files.sizeBytes("/index/a") ?? 0);
  const handle = host.files.open("/index/a", "readWrite");
  handle.readNow(written, 0, written.length, 0);
  expect(written.toString("hex")).toBe(bytes.toString("hex"));
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
  const found = readFilter(host.files, "/index/a", { identity, changeCount: about.changeCount, bytesMax: 4096 });
  expect([found?.keyCount, found?.filter.bitsSet]).toEqual([40, filter.bitsSet]);
  expect(keys.every(([high, low]) => found?.filter.mayHave(high, low))).toBe(true);
});
