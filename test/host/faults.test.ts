import { expect, test } from "vitest";
import { FaultPlan, parseFault } from "#src/host/faults.ts";

test("an order says where, what, and which time", () => {
  expect(parseFault("local.before-spool=kill@3")).toMatchObject({ place: "local.before-spool", kind: "kill", nth: 3 });
  expect(parseFault("remote.after-data=delay:250")).toMatchObject({ kind: "delay", delayMs: 250, nth: 0 });
  expect(parseFault("remote.after-metadata=assert@2")).toMatchObject({ kind: "assert", nth: 2 });
  expect(parseFault("local.after-spool=error:EIO")).toMatchObject({ kind: "error", code: "EIO" });
});

test.each(["", "local.before-spool", "nowhere=kill", "local.before-spool=explode", "local.before-spool=kill@x"])(
  "'%s' is refused, with the places there are",
  (text) => {
    expect(() => parseFault(text)).toThrow("places are");
  },
);

test("an order for the third time strikes once, one for no time in particular strikes each time", () => {
  const third = new FaultPlan([parseFault("local.before-spool=kill@3")]);
  expect([1, 2, 3, 4].map(() => third.at("local.before-spool")?.kind)).toEqual([
    undefined,
    undefined,
    "kill",
    undefined,
  ]);
  const always = new FaultPlan([parseFault("local.before-spool=kill")]);
  expect([1, 2].map(() => always.at("local.before-spool")?.kind)).toEqual(["kill", "kill"]);
  expect(always.at("local.after-spool")).toBeUndefined();
});
