import { describe, expect, test } from "vitest";
import { get16, get32, get64, put16, put32, put64 } from "#src/core/big-endian.ts";

const edges16 = [0, 1, 0x7fff, 0x8000, 0xff, 0x100, 0xffff];
const edges32 = [...edges16, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff];
const edges64 = [...edges32, 2 ** 32, 2 ** 32 + 1, 2 ** 40 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER];

describe("numbers in network byte order", () => {
  test.each(edges16)("16 bits hold %d", (value) => {
    const bytes = Buffer.alloc(4, 0xaa);
    put16(bytes, 1, value);
    expect(get16(bytes, 1)).toBe(value);
    expect(bytes.readUInt16BE(1)).toBe(value);
    expect([bytes[0], bytes[3]]).toEqual([0xaa, 0xaa]);
  });

  test.each(edges32)("32 bits hold %d", (value) => {
    const bytes = Buffer.alloc(6, 0xaa);
    put32(bytes, 1, value);
    expect(get32(bytes, 1)).toBe(value);
    expect(bytes.readUInt32BE(1)).toBe(value);
    expect([bytes[0], bytes[5]]).toEqual([0xaa, 0xaa]);
  });

  test.each(edges64)("64 bits hold %d", (value) => {
    const bytes = Buffer.alloc(10, 0xaa);
    put64(bytes, 1, value);
    expect(get64(bytes, 1)).toBe(value);
    expect(bytes.readBigUInt64BE(1)).toBe(BigInt(value));
    expect([bytes[0], bytes[9]]).toEqual([0xaa, 0xaa]);
  });

  test("a number above 2^53 - 1 is never read as one below", () => {
    const bytes = Buffer.alloc(8);
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      bytes.writeBigUInt64BE(value);
      expect(get64(bytes, 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    }
  });
});
