import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { shownVolumes } from "#src/ui/shown-volumes.ts";

const kept = (name: string, number: number) => ({ number, id: "", name, sizeBytes: 4096 });

test("what is protected here comes first, then what only the history of is here, each once", () => {
  const status = {
    volumes: [{ name: "disk", group: "west", sizeBytes: 8192, source: "/srv/disk.img" }],
    groups: [{ id: "11".repeat(16), name: "west" }],
    remoteGroups: [
      { id: "11".repeat(16), name: "west", volumes: [kept("disk", 1), kept("removed", 2)] },
      { id: "22".repeat(16), name: "east", volumes: [kept("disk", 1)] },
    ],
  } as unknown as StatusReport;
  const shown = shownVolumes(status);
  expect(shown.map(({ group, name, isHistoryOnly }) => `${group}/${name} ${isHistoryOnly}`)).toEqual([
    "west/disk false",
    "east/disk true",
    "west/removed true",
  ]);
  expect(shown[0]?.source).toBe("/srv/disk.img");
});

test("each is asked for by a name that no other one has, and by no more of it than is needed", () => {
  const [west, lost, east] = ["11", "22", "33"].map((digits) => digits.repeat(16));
  const status = {
    volumes: [{ name: "disk", group: "west" }],
    groups: [{ id: west, name: "west" }],
    remoteGroups: [
      { id: west, name: "west", volumes: [kept("disk", 1), kept("log", 2)] },
      { id: lost, name: "west", volumes: [kept("disk", 1)] },
      { id: east, name: "east", volumes: [kept("disk", 1)] },
    ],
  } as unknown as StatusReport;
  const shown = shownVolumes(status);
  expect(shown.map(({ reference, isHistoryOnly }) => `${reference} ${isHistoryOnly}`)).toEqual([
    "11111111/disk false",
    "22222222/disk true",
    "east/disk true",
    "log true",
  ]);
  // Before the local appliance, or the remote one, has told of its group.
  const early = shownVolumes({ ...status, groups: [] });
  expect(early.map(({ reference }) => reference)).toEqual(["west/disk", "east/disk", "log"]);
});
