import { expect, test } from "vitest";
import { mergeStatus, type Protection, uncopied, unprotected, unsettled } from "./protection.ts";

type Volume = Protection["volumes"][number];
type Group = Protection["groups"][number];

function protection(volume: Partial<Volume> = {}, group: Partial<Group> = {}): Protection {
  return {
    volumes: [{ name: "v", state: "open", added: 7, applied: 7, ...volume } as Volume],
    groups: [{ name: "v", mode: "sync", state: "steady", linkUp: true, lagRecords: 0, ...group } as Group],
  };
}

test("an open volume in the mode that was asked for is protected", () => {
  expect(unprotected(protection(), "sync")).toBeUndefined();
});

test.each([
  [protection({ state: "fenced", why: "EIO" }), "volume v is fenced (EIO)"],
  [protection({}, { linkUp: false }), "group v has no link"],
  [protection({}, { mode: "async" }), "group v is steady in async"],
  [protection({}, { state: "suspended", why: "no link" }), "group v is suspended in sync (no link)"],
  [{ volumes: [], groups: [] }, "there is no volume"],
] as const)("what is not protected is named: %#", (status, why) => {
  expect(unprotected(status, "sync")).toContain(why);
});

test("all is settled when source and remote have everything", () => {
  expect(unsettled(protection())).toBeUndefined();
  expect(unsettled(protection({ applied: 6 }))).toBe("volume v has applied 6 of 7 writes");
  expect(unsettled(protection({}, { lagRecords: 3 }))).toBe("group v lags by 3 records");
});

test("what was there before has been copied when nothing is left to copy, and the remote has it", () => {
  expect(uncopied(protection())).toBeUndefined();
  expect(uncopied(protection({ copy: {} as NonNullable<Volume["copy"]> }))).toBe("volume v is being copied");
  expect(uncopied(protection({ baseMissing: true }))).toBe("volume v is being copied");
  expect(uncopied(protection({}, { lagRecords: 3 }))).toBe("group v lags by 3 records");
});

test("what several processes tell is put together", () => {
  const { volumes, groups } = protection();
  expect(
    mergeStatus([
      { volumes, groups: [] },
      { volumes: [], groups },
    ]),
  ).toEqual({ volumes, groups });
});
