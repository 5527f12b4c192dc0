import { expect, test } from "vitest";
import { putStamp, readStamp, stampedBytes } from "./block-stamp.ts";

const stamp = { volume: 3, block: 2 ** 33, number: 77 };

test("a stamp is read back", () => {
  const bytes = Buffer.alloc(3 * stampedBytes);
  putStamp(bytes, stampedBytes, stamp);
  expect(readStamp(bytes, stampedBytes)).toEqual(stamp);
  expect(readStamp(bytes, 0)).toBe("zeros");
});

test("a block whose sectors are of two stamps is damaged", () => {
  const one = Buffer.alloc(stampedBytes);
  const two = Buffer.alloc(stampedBytes);
  putStamp(one, 0, stamp);
  putStamp(two, 0, { ...stamp, number: 78 });
  for (let at = 0; at < stampedBytes; at += 512) {
    const torn = Buffer.from(one);
    two.copy(torn, at, at, at + 512);
    expect(readStamp(torn, 0)).toBe("damaged");
  }
});

test("any byte that is changed is found", () => {
  const bytes = Buffer.alloc(stampedBytes);
  putStamp(bytes, 0, stamp);
  for (let at = 0; at < stampedBytes; at += 13) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed.readUInt8(at) + 1) & 0xff, at);
    expect(readStamp(changed, 0)).toBe("damaged");
  }
});
