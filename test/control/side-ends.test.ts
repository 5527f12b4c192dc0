/** A program ends all of its sides, also where one of them cannot be ended in order. */
import { expect, test } from "vitest";
import { noFarewell } from "#src/control/farewell.ts";
import { type EndingSide, endSides } from "#src/control/side-ends.ts";
import { RetryError } from "#src/core/errors.ts";

function world() {
  const events: string[] = [];
  const side = (name: string, how: { readonly isStarted?: boolean; readonly failsWith?: Error } = {}) => {
    const ended = Promise.withResolvers<undefined>();
    const end = (): void => {
      events.push(`${name} ended`);
      if (how.failsWith === undefined) ended.resolve(undefined);
    };
    const ask = async () => {
      events.push(`${name} asked`);
      if (how.failsWith !== undefined) throw how.failsWith;
      return noFarewell;
    };
    const client = { ask } as unknown as EndingSide["client"];
    return { client, thread: { end, ended: ended.promise }, isStarted: how.isStarted ?? true };
  };
  return { events, side };
}

test("one side after the other is asked to stop, and those that have not started are not", async () => {
  const { events, side } = world();
  const farewells = await endSides([side("local"), side("late", { isStarted: false }), side("remote")]);
  expect(farewells).toEqual([noFarewell, noFarewell]);
  expect(events).toEqual(["local asked", "local ended", "late ended", "remote asked", "remote ended"]);
});

test("a side that does not stop keeps no other from being stopped, and is what the end fails with", async () => {
  const { events, side } = world();
  const failsWith = new RetryError("the local side has not answered for 60 s");
  await expect(endSides([side("local", { failsWith }), side("remote")])).rejects.toBe(failsWith);
  expect(events).toEqual(["local asked", "local ended", "remote asked", "remote ended"]);
});
