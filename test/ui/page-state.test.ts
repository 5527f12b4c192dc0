import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { historyPlace } from "#src/ui/history-place.ts";
import {
  firstState,
  groupOf,
  healthOf,
  isCurrent,
  selectedVolume,
  troublesOf,
  withStatus,
} from "#src/ui/page-state.ts";
import type { ShownVolume } from "#src/ui/shown-volumes.ts";

const volume = (name: string, writes: number) => ({ name, group: "g", writes, writeBytes: writes * 10, readBytes: 0 });

function status(writes: number, more: object = {}): StatusReport {
  const groups = [{ name: "g", lagBytes: 5, lagSeconds: 2 }];
  const volumes = [volume("disk", writes), volume("my disk", 0)];
  return {
    ready: true,
    problems: [],
    silent: [],
    volumes,
    groups,
    remoteGroups: [],
    ...more,
  } as unknown as StatusReport;
}

const known = withStatus(withStatus(firstState, status(0), 1000), status(100), 2000);

test("each status is a sample of every volume, with the lag of its group", () => {
  expect(known.series.get("disk")?.points).toMatchObject([{ writesPerSecond: 100, lagSeconds: 2, lagBytes: 5 }]);
  expect(known.statusMs).toBe(2000);
  expect(groupOf(status(0), { group: "other" })).toBeUndefined();
});

test("a side that does not answer tells of no writes, which is not that there were none", () => {
  const silent = { silent: [{ side: "local", seconds: 3 }] };
  const held = withStatus(known, status(100, silent), 5000);
  expect(held.series.get("disk")?.points).toHaveLength(1);
  const back = withStatus(held, status(400), 6000);
  expect(back.series.get("disk")?.points.at(-1)).toMatchObject({ atMs: 6000, writesPerSecond: 75 });
});

test("what is shown is how it was where its side does not answer, or nobody does", () => {
  const live = { ...known, connection: { kind: "live" } as const };
  const held = { ...live, status: status(100, { silent: [{ side: "local", seconds: 3 }] }) };
  const [here, kept] = [{ isHistoryOnly: false }, { isHistoryOnly: true }];
  expect([live, held].map((state) => isCurrent(state, here))).toEqual([true, false]);
  expect(isCurrent(held, kept)).toBe(true);
  expect(isCurrent({ ...live, connection: { kind: "lost", sinceMs: 0, againAtMs: 0 } }, kept)).toBe(false);
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

test("of volumes of one name the address, the figures of the group and the history are each one's own", () => {
  const groups = [{ id: "11".repeat(16), name: "g" }];
  const kept = (id: string) => ({ id, name: "g", volumes: [{ number: 1, id: "", name: "disk", sizeBytes: 1 }] });
  const remoteGroups = [kept("11".repeat(16)), kept("22".repeat(16))];
  const both = { ...known, status: status(0, { groups, remoteGroups, roles: ["remote"] }) };
  const own = selectedVolume(both, "#/volumes/11111111%2Fdisk");
  const other = selectedVolume(both, "#/volumes/22222222%2Fdisk");
  expect([own?.isHistoryOnly, other?.isHistoryOnly]).toEqual([false, true]);
  // An address from before there was another one.
  expect(selectedVolume(both, "#/volumes/disk")).toEqual(own);
  expect(groupOf(both.status, own as ShownVolume)).toMatchObject({ name: "g" });
  expect(groupOf(both.status, other as ShownVolume)).toBeUndefined();
  const onlyOther = status(0, { groups, remoteGroups: [kept("22".repeat(16))], roles: ["remote"] });
  expect(historyPlace(onlyOther, own as ShownVolume)).toBe("not yet");
  expect(historyPlace(onlyOther, other as ShownVolume)).toBe("here");
});
