import { expect, test } from "vitest";
import { OverflowError, RefuseError } from "#src/core/errors.ts";
import { decodeFarewell, encodeFarewell } from "#src/wire/farewell.ts";
import { JsonFields } from "#src/wire/json-fields.ts";
import {
  decodeProgress,
  encodeProgress,
  encodeVolumeHello,
  encodeVolumeRemoval,
  readVolumeHello,
  readVolumeRemoval,
} from "#src/wire/volume-messages.ts";

const progress = { acknowledged: 258, pressure: 0.25, grantedBytes: 65_536, remoteOrdinal: 200 };

test("progress has these bytes", () => {
  const bytes = encodeProgress(progress);
  expect(bytes.toString("hex")).toBe("0201000000000000" + "90d0030000000000" + "0000010000000000" + "c800000000000000");
  expect(decodeProgress(bytes, 0, bytes.length)).toEqual(progress);
});

test("fault 29: progress as the first version told it is refused", () => {
  expect(() => decodeProgress(encodeProgress(progress), 0, 24)).toThrow(RefuseError);
});

test("that there is no room for a while is told apart from what may work soon", () => {
  const told = decodeFarewell(encodeFarewell(new OverflowError("the spool is full")));
  expect(told).toBeInstanceOf(OverflowError);
  expect(told.message).toBe("the spool is full");
});

test("what an interceptor says of its volume arrives as it was said, with the former size or without one", () => {
  const identity = { id: "aa", name: "disk", group: "g", sizeBytes: 8192 };
  const source = { durableOrdinal: 7, attacher: "bb", sourceAge: "known", isCopyDue: false } as const;
  for (const hello of [
    { ...identity, ...source },
    { ...identity, previousBytes: 4096, ...source },
    { ...identity, ...source, needsRedo: true },
  ]) {
    const body = Buffer.from(JSON.stringify(encodeVolumeHello(hello)));
    expect(readVolumeHello(JsonFields.parse(body, "hello"))).toEqual(hello);
  }
  const wrong = { ...identity, ...source, previousBytes: "much" };
  expect(() => readVolumeHello(JsonFields.of(wrong, "hello"))).toThrow(RefuseError);
});

test("that a volume was removed is no hello, and says nothing but which one", () => {
  const text = JSON.stringify(encodeVolumeRemoval("00aa"));
  expect(text).toBe('{"removed":"00aa"}');
  const fields = JsonFields.parse(Buffer.from(text), "hello");
  expect(readVolumeRemoval(fields)).toBe("00aa");
  // So it is refused by an appliance that does not know it, and attaches nothing.
  expect(() => readVolumeHello(fields)).toThrow(RefuseError);
  expect(() => readVolumeRemoval(JsonFields.of({ removed: "zz" }, "hello"))).toThrow(RefuseError);
  expect(readVolumeRemoval(JsonFields.of({ id: "00aa" }, "hello"))).toBeUndefined();
});
