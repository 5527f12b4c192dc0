import { expect, test } from "vitest";
import { formatByteSize, parseByteSize, roundedByteSize } from "#src/core/byte-size.ts";

test.each([
  ["4096", 4096],
  ["0", 0],
  ["10G", 10 * 2 ** 30],
  ["10g", 10 * 2 ** 30],
  ["1.5M", 1.5 * 2 ** 20],
  ["512 MiB", 512 * 2 ** 20],
  ["2TB", 2 * 2 ** 40],
])("%s is a size", (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(["", "G", "-1", "1.5", "0x10", "1e3", "10Q", "99999999999P", "1,5G", "10 G G"])("'%s' is none", (text) => {
  expect(parseByteSize(text)).toBe(undefined);
});

test.each([0, 1, 1023, 4096, 1536, 10 * 2 ** 30, 2 ** 50, Number.MAX_SAFE_INTEGER])("%d comes back", (bytes) => {
  expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1024, "1.0 KiB"],
  [1024 ** 2 * 1.25, "1.3 MiB"],
  [1024 ** 3 * 512, "512 GiB"],
])("%d is rounded for people", (bytes, text) => {
  expect(roundedByteSize(bytes)).toBe(text);
});
