import { expect, test } from "vitest";
import { OverflowError, RefuseError } from "#src/core/errors.ts";
import { decodeFarewell, encodeFarewell } from "#src/wire/farewell.ts";
import { decodeProgress, encodeProgress } from "#src/wire/volume-messages.ts";

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
