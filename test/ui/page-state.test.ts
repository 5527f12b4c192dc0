import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { firstState, groupOf, healthOf, selectedVolume, troublesOf, withStatus } from "#src/ui/page-state.ts";

const volume = (name: string, writes: number) => ({ name, group: "g", writes, writeBytes: writes * 10, readBytes: 0 });

function status(writes: number, more: object = {}): StatusReport {
  const groups = [{ name: "g", lagBytes: 5, lagSeconds: 2 }];
  const volumes = [volume("disk", writes), volume("my disk", 0)];
  return { ready: true, problems: [], volumes, groups, remoteGroups: [], ...more } as unknown as StatusReport;
}

const known = withStatus(withStatus(firstState, status(0), 1000), status(100), 2000);

test("each status is a sample of every volume, with the lag of its group", () => {
  expect(known.series.get("disk")?.points).toMatchObject([{ writesPerSecond: 100, lagSeconds: 2, lagBytes: 5 }]);
  expect(known.statusMs).toBe(2000);
  expect(groupOf(status(0), { group: "other" })).toBeUndefined();
});

test("the address names a volume; otherwise it is the first", () => {
  expect(selectedVolume(known, "#/volumes/my%20disk")?.name).toBe("my disk");
  expect(["", "#/volumes/none", "#/volumes/%E0%A4%A"].map((hash) => selectedVolume(known, hash)?.name)).toEqual([
    "disk",
    "disk",
    "disk",
  ]);
  expect(selectedVolume(firstState, "")).toBeUndefined();
});

test("what is wrong first is said first", () => {
  expect(healthOf(firstState).kind).toBe("warn");
  expect(healthOf(known)).toEqual({ kind: "good", words: "all well" });
  expect(healthOf({ ...known, status: status(0, { problems: ["a disk"] }) }).kind).toBe("warn");
  expect(healthOf({ ...known, status: status(0, { ready: false, why: "no" }) }).kind).toBe("bad");
  expect(healthOf({ ...known, connection: { kind: "lost", sinceMs: 0, againAtMs: 0 } }).words).toMatch(/lost/);
  expect(troublesOf(status(0, { why: "first", problems: ["second"] }))).toEqual(["first", "second"]);
});
