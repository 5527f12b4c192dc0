import { expect, test } from "vitest";
import {
  alignDown,
  alignUp,
  divCeil,
  divFloor,
  fitsInto,
  isAligned,
  rangesOverlap,
  splitAtUnits,
} from "#src/core/byte-range.ts";

const largest = Number.MAX_SAFE_INTEGER;

test("division rounds the way its name says", () => {
  expect([divFloor(0, 4), divFloor(3, 4), divFloor(4, 4), divFloor(7, 4)]).toEqual([0, 0, 1, 1]);
  expect([divCeil(0, 4), divCeil(1, 4), divCeil(4, 4), divCeil(5, 4)]).toEqual([0, 1, 1, 2]);
});

test("division is exact for the largest numbers", () => {
  for (const divisor of [3, 7, 512, 4095, 4096, 65537]) {
    const quotient = BigInt(largest) / BigInt(divisor);
    const exact = BigInt(largest) % BigInt(divisor) === 0n;
    expect(divFloor(largest, divisor)).toBe(Number(quotient));
    expect(divCeil(largest, divisor)).toBe(Number(exact ? quotient : quotient + 1n));
  }
});

test("aligning goes down or up to the unit and leaves multiples alone", () => {
  expect([alignDown(0, 512), alignDown(511, 512), alignDown(512, 512), alignDown(513, 512)]).toEqual([0, 0, 512, 512]);
  expect([alignUp(0, 512), alignUp(1, 512), alignUp(512, 512), alignUp(513, 512)]).toEqual([0, 512, 512, 1024]);
  expect([isAligned(0, 4096), isAligned(4096, 4096), isAligned(4095, 4096)]).toEqual([true, true, false]);
});

test("aligning is exact above 32 bits", () => {
  expect(alignDown(2 ** 45 + 4097, 4096)).toBe(2 ** 45 + 4096);
  expect(alignUp(2 ** 45 + 4097, 4096)).toBe(2 ** 45 + 8192);
});

test("a range fits up to its last byte", () => {
  expect(fitsInto(100, 0, 100)).toBe(true);
  expect(fitsInto(100, 99, 1)).toBe(true);
  expect(fitsInto(100, 100, 0)).toBe(true);
  expect(fitsInto(100, 0, 101)).toBe(false);
  expect(fitsInto(100, 99, 2)).toBe(false);
  expect(fitsInto(100, 101, 0)).toBe(false);
});

test("a sum that leaves the exact numbers does not fit", () => {
  expect(fitsInto(largest, largest, 1)).toBe(false);
  expect(fitsInto(largest, 1, largest)).toBe(false);
  expect(fitsInto(largest, 2 ** 64, 2 ** 64)).toBe(false);
  expect(fitsInto(largest, 0, largest)).toBe(true);
});

test("ranges that only touch do not overlap", () => {
  expect(rangesOverlap(0, 10, 10, 10)).toBe(false);
  expect(rangesOverlap(10, 10, 0, 10)).toBe(false);
  expect(rangesOverlap(0, 11, 10, 10)).toBe(true);
  expect(rangesOverlap(5, 1, 0, 10)).toBe(true);
  expect(rangesOverlap(0, 10, 5, 1)).toBe(true);
});

test("an empty range overlaps nothing, also inside another", () => {
  expect(rangesOverlap(5, 0, 0, 10)).toBe(false);
  expect(rangesOverlap(0, 10, 5, 0)).toBe(false);
});

test("a range is cut into head, whole units and tail", () => {
  expect(splitAtUnits(10, 30, 10)).toEqual({ headBytes: 0, wholeBytes: 30, tailBytes: 0 });
  expect(splitAtUnits(13, 30, 10)).toEqual({ headBytes: 7, wholeBytes: 20, tailBytes: 3 });
  expect(splitAtUnits(10, 13, 10)).toEqual({ headBytes: 0, wholeBytes: 10, tailBytes: 3 });
});

test("a range without a whole unit is all head", () => {
  expect(splitAtUnits(13, 4, 10)).toEqual({ headBytes: 4, wholeBytes: 0, tailBytes: 0 });
  expect(splitAtUnits(15, 10, 10)).toEqual({ headBytes: 10, wholeBytes: 0, tailBytes: 0 });
  expect(splitAtUnits(10, 4, 10)).toEqual({ headBytes: 4, wholeBytes: 0, tailBytes: 0 });
});

test("the parts of a cut range always add up, and the whole units are aligned", () => {
  for (let position = 0; position < 25; position++) {
    for (let lengthBytes = 0; lengthBytes < 40; lengthBytes++) {
      const { headBytes, wholeBytes, tailBytes } = splitAtUnits(position, lengthBytes, 8);
      expect(headBytes + wholeBytes + tailBytes).toBe(lengthBytes);
      expect(wholeBytes % 8).toBe(0);
      if (wholeBytes > 0) expect((position + headBytes) % 8).toBe(0);
    }
  }
});
