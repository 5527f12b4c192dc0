import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { shownVolumes } from "#src/ui/shown-volumes.ts";

const kept = (name: string, number: number) => ({ number, id: "", name, sizeBytes: 4096 });

test("what is protected here comes first, then what only the history of is here, each once", () => {
  const status = {
    volumes: [{ name: "disk", group: "west", sizeBytes: 8192, source: "/srv/disk.img" }],
    remoteGroups: [
      { name: "west", volumes: [kept("disk", 1), kept("removed", 2)] },
      { name: "east", volumes: [kept("disk", 1)] },
    ],
  } as unknown as StatusReport;
  const shown = shownVolumes(status);
  expect(shown.map(({ group, name, isHistoryOnly }) => `${group}/${name} ${isHistoryOnly}`)).toEqual([
    "west/disk false",
    "west/removed true",
    "east/disk true",
  ]);
  expect(shown[0]?.source).toBe("/srv/disk.img");
});
