import { expect, test } from "vitest";
import { ReconnectError, RefuseError, ResyncError, RetryError, StopError } from "#src/core/errors.ts";

test("every error says its kind in its name and in its class", () => {
  for (const Kind of [RetryError, ReconnectError, ResyncError, RefuseError, StopError]) {
    const error = new Kind("why");
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe(`${Kind.name}: why`);
  }
});

test("an error keeps what caused it", () => {
  const cause = new Error("the disk said no");
  expect(new StopError("the journal cannot go on", { cause }).cause).toBe(cause);
});
