import { expect, test } from "vitest";
import { cellBytes, garbage, putStamps, stampAt } from "./stamp.ts";

const stamped = (): Buffer => {
  const bytes = Buffer.alloc(4 * cellBytes);
  putStamps(bytes, cellBytes, 3, 17, 2, 99);
  return bytes;
};

test("a cell tells which write it is of, and zeros are write 0", () => {
  const bytes = stamped();
  const found = [0, 1, 2, 3].map((cell) => stampAt(bytes, cell * cellBytes, 3, 16 + cell));
  expect(found).toEqual([0, 99, 99, 0]);
});

test("a cell in another place or of another volume is garbage", () => {
  const bytes = stamped();
  expect(stampAt(bytes, cellBytes, 3, 18)).toBe(garbage);
  expect(stampAt(bytes, cellBytes, 4, 17)).toBe(garbage);
});

test("one wrong bit anywhere makes a cell garbage", () => {
  for (const at of [0, 5, 200, cellBytes - 1]) {
    const bytes = stamped();
    bytes[cellBytes + at] = (bytes[cellBytes + at] as number) ^ 4;
    expect([at, stampAt(bytes, cellBytes, 3, 17)]).toEqual([at, garbage]);
    bytes[at] = 4;
    expect([at, stampAt(bytes, 0, 3, 16)]).toEqual([at, garbage]);
  }
});
