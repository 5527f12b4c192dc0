import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { historyPlace } from "#src/ui/history-place.ts";

const disk = { name: "disk", group: "west", groupId: undefined };

test("a history is asked for where the remote appliance has something of that very volume, and nowhere else", () => {
  const place = (roles: readonly string[], ...remoteGroups: readonly object[]) =>
    historyPlace({ roles, remoteGroups } as unknown as StatusReport, disk);
  const kept = (group: string, ...names: readonly string[]) => ({
    name: group,
    volumes: names.map((name) => ({ name })),
  });
  expect(place(["remote"], kept("east", "other"), kept("west", "log", "disk"))).toBe("here");
  expect(place(["interceptor", "local", "remote"])).toBe("not yet");
  expect(place(["remote"], kept("west"), kept("east", "disk"))).toBe("not yet");
  expect(place(["interceptor", "local"])).toBe("elsewhere");
  expect(historyPlace(undefined, disk)).toBe("not yet");
});
