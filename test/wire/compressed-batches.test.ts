import { describe, expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { decodeCompressedBatches, encodeCompressedBatches } from "#src/wire/compressed-batches.ts";

const plain = Buffer.alloc(600, "tidemark ");
const golden = "5802000028b52ffd60580185000048746964656d61726b2001004c589523";

test("these bytes are these batches, for ever", () => {
  const body = Buffer.from(golden, "hex");
  expect(decodeCompressedBatches(body, 0, body.length).equals(plain)).toBe(true);
});

test("what is compressed in pieces comes out as one", () => {
  const pieces = [plain.subarray(0, 100), plain.subarray(100, 512), plain.subarray(512)];
  const body = encodeCompressedBatches(pieces);
  const within = Buffer.concat([Buffer.alloc(9, 1), body, Buffer.alloc(9, 1)]);
  expect(decodeCompressedBatches(within, 9, 9 + body.length).equals(plain)).toBe(true);
});

describe("fault 33: a decompression bomb", () => {
  test("that claims little gets no memory for more", () => {
    const bomb = encodeCompressedBatches([Buffer.alloc(4 * 1024 * 1024)]);
    expect(bomb.length).toBeLessThan(1000);
    bomb.writeUInt32LE(512, 0);
    expect(() => decodeCompressedBatches(bomb, 0, bomb.length)).toThrow(RefuseError);
  });

  test("whose decoder would need a large window is refused", () => {
    // Magic, no content size, a window of 64 MiB; then one block of 512 times the same byte.
    const bomb = Buffer.from("0002000028b52ffd008003100041", "hex");
    expect(() => decodeCompressedBatches(bomb, 0, bomb.length)).toThrow(RefuseError);
  });
});
