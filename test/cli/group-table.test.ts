import { expect, test } from "vitest";
import { groupTable } from "#src/cli/status.ts";
import { group } from "#test/control/http/scripted-side.ts";

test("of a group under auto it is told why it was moved last, and of no other", () => {
  const lastSwitches = [
    { from: "async", to: "sync", seq: 5, why: "auto: the remote answers within 1 ms" },
    { from: "sync", to: "async", seq: 9, why: "auto: the link is down" },
  ] as const;
  const groups = [
    { ...group, name: "picked", wantedMode: "auto", lastSwitches } as const,
    { ...group, name: "chosen", lastSwitches },
    { ...group, name: "unmoved", wantedMode: "auto" } as const,
  ];
  const lines = groupTable(groups).split("\n").slice(1);
  expect(lines[0]).toMatch(/^picked +async \(auto\) /);
  expect(lines.slice(groups.length)).toEqual(["picked: from sync to async at seq 9 (auto: the link is down)", ""]);
});
