import { expect, test } from "vitest";
import { receivedError, sentError } from "#src/control/store-errors.ts";
import { OverflowError, RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import { systemError } from "#test/sim/system-error.ts";

test("an error of the store is sorted here as it was there; lack of room passes, and what nobody has sorted stops", () => {
  const cases = [
    [new RetryError("later"), "RetryError"],
    [new OverflowError("full"), "RetryError"],
    [systemError("ENOSPC", "mkdir"), "OverflowError"],
    [new RetryError("no room", { cause: systemError("ENOSPC", "write") }), "OverflowError"],
    [systemError("EMFILE", "open"), "RetryError"],
    [new RefuseError("another key"), "RefuseError"],
    [new StopError("damage"), "StopError"],
    [new AbsentObjectError("segments/1"), "StopError"],
    [systemError("EIO", "read"), "StopError"],
    [new RangeError("odd"), "StopError"],
  ] as const;
  for (const [error, name] of cases) {
    expect(receivedError(structuredClone(sentError(error))).name, String(error)).toBe(name);
  }
  expect(receivedError(sentError(new StopError("this one"))).message).toBe("this one");
});
