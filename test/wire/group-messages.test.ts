/** What local and remote appliance say to each other: arrives as it was said, and is refused where it cannot be. */
import { describe, expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import {
  decodeWatermarks,
  decodeWelcome,
  encodeWatermarks,
  encodeWelcome,
  takesCompressed,
} from "#src/wire/group-messages.ts";

const marks = { received: 9, durable: 7, stored: 5 };
const welcome = { epoch: 3, bootId: "b", ...marks };

function words(change: object): Buffer {
  return Buffer.from(JSON.stringify({ ...welcome, ...change }));
}

test("watermarks and a welcome arrive as they were said", () => {
  const bytes = encodeWatermarks(marks);
  expect(decodeWatermarks(bytes, 0, bytes.length)).toEqual(marks);
  const same = encodeWatermarks({ received: 9, durable: 9, stored: 9 });
  expect(decodeWatermarks(same, 0, same.length)).toEqual({ received: 9, durable: 9, stored: 9 });
  expect(decodeWelcome(encodeWelcome(welcome))).toEqual(welcome);
  expect(takesCompressed(encodeWelcome(welcome))).toBe(true);
});

/** A local appliance that believed them would let go of records that nobody has. */
describe("fault 33: watermarks that contradict each other are refused", () => {
  test.each([{ durable: 10 }, { stored: 8 }, { received: 4 }, { received: 0, durable: 0 }])("%o", (change) => {
    const { received, durable, stored } = { ...marks, ...change };
    const message = `the remote's watermarks contradict each other: ${received}, ${durable}, ${stored}`;
    const bytes = encodeWatermarks({ received, durable, stored });
    expect(() => decodeWatermarks(bytes, 0, bytes.length)).toThrow(new RefuseError(message));
    expect(() => decodeWelcome(words(change))).toThrow(new RefuseError(message));
  });
});

test.each([
  [{ epoch: -1 }],
  [{ received: "9" }],
  [{ durable: 1.5 }],
  [{ stored: null }],
  [{ bootId: 7 }],
  [{ bootId: "b".repeat(256) }],
])("a welcome with %o is refused", (change) => {
  expect(() => decodeWelcome(words(change))).toThrow(RefuseError);
});

test("watermarks of another length are refused", () => {
  const bytes = encodeWatermarks(marks);
  expect(() => decodeWatermarks(bytes, 0, bytes.length - 1)).toThrow(RefuseError);
  expect(() => decodeWatermarks(Buffer.concat([bytes, bytes]), 0, 2 * bytes.length)).toThrow(RefuseError);
});

test("who says nothing of compression, or of another one, gets none", () => {
  expect(takesCompressed(words({}))).toBe(false);
  expect(takesCompressed(words({ compression: "lz4" }))).toBe(false);
  expect(() => takesCompressed(words({ compression: 1 }))).toThrow(RefuseError);
});
