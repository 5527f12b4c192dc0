import { describe, expect, test } from "vitest";
import { type GroupReport, readinessOf, type Work } from "#src/control/readiness.ts";
import type { VolumeState } from "#src/control/role.ts";
import { group } from "./http/scripted-side.ts";

const nothing: Work = { silent: [], volumes: [], groups: [], remoteGroups: [] };

function ofGroup(differs: Partial<GroupReport>) {
  return readinessOf({ ...nothing, groups: [{ ...group, ...differs }] });
}

test("nothing to do is ready", () => {
  expect(readinessOf(nothing)).toEqual({ obstacles: [], problems: [] });
});

describe("a volume", () => {
  test.each<[VolumeState, string]>([
    ["opening", "volume v is being opened: no room"],
    ["redoing", "volume v is brought to its newest state: no room"],
    ["stalled", "volume v waits: no room"],
    ["fenced", "volume v is fenced: no room"],
    ["failed", "volume v could not be opened: no room"],
  ])("that is %s is not ready", (state, obstacle) => {
    const volumes = [{ name: "v", state, why: "no room" }];
    expect(readinessOf({ ...nothing, volumes })).toEqual({ obstacles: [obstacle], problems: [] });
  });

  test("whose disk stands still is not ready, though nothing has failed", () => {
    const volumes = (hostWaitSeconds: number) => [{ name: "v", state: "open" as const, hostWaitSeconds }];
    expect(readinessOf({ ...nothing, volumes: volumes(9) }).obstacles).toEqual([]);
    expect(readinessOf({ ...nothing, volumes: volumes(12) }).obstacles).toEqual([
      "nothing that hosts of volume v wait for was done for 12 s: look at the disks of its source and of its spool",
    ]);
  });

  test("whose flushes wait for its resync is not ready, and no disk is blamed for it", () => {
    const copy = {
      kind: "resync" as const,
      ...{ regionsTotal: 4, regionsDone: 1, bytesTotal: 800, bytesDone: 203, bytesPerSecond: 9 },
    };
    const held = { name: "v", state: "open" as const, hostWaitSeconds: 12, hostWaitFor: "resync" as const };
    const line = (done: string) =>
      `flushes of volume v have waited for 12 s for its resync${done}: in sync they are answered when the remote appliance has ` +
      "all of it; give the link time, it goes on by itself";
    const told = (volume: Work["volumes"][number]) => readinessOf({ ...nothing, volumes: [volume] }).obstacles;
    expect(told({ ...held, copy })).toEqual([line(", of which 25 % are copied")]);
    expect(told(held)).toEqual([line("")]);
    expect(told({ ...held, hostWaitSeconds: 9 })).toEqual([]);
  });

  test("that goes on without its appliance is ready, but unprotected", () => {
    const volumes = [{ name: "v", state: "tracking" as const, why: "it is not there" }];
    expect(readinessOf({ ...nothing, volumes })).toEqual({
      obstacles: [],
      problems: ["volume v goes on unprotected: it is not there"],
    });
  });
});

describe("a group", () => {
  test("in order is ready", () => {
    expect(ofGroup({})).toEqual({ obstacles: [], problems: [] });
  });

  test("without its remote appliance is ready, but", () => {
    expect(ofGroup({ linkUp: false, linkWhy: "nothing listens there" })).toEqual({
      obstacles: [],
      problems: ["group g has no link to the remote appliance: nothing listens there"],
    });
  });

  test("that waits for its remote appliance is not ready", () => {
    const why = "sync waits for the remote: gone";
    expect(ofGroup({ linkUp: false, state: "stalled", why })).toEqual({
      obstacles: [`group g takes no writes: ${why}`],
      problems: [],
    });
  });

  test("at a limit that the remote appliance is about to free is ready, but", () => {
    const limit = { state: "stalled", pressure: 1, why: "a limit is reached" } as const;
    expect(ofGroup(limit)).toEqual({ obstacles: [], problems: ["group g: a limit is reached"] });
    expect(ofGroup({ ...limit, linkUp: false }).obstacles).toEqual(["group g takes no writes: a limit is reached"]);
  });

  test("that is stopped is said, also where nobody knows what volumes it has", () => {
    const stop = { state: "stopped", why: "its state is damaged" } as const;
    const said = ["group g takes no writes: its state is damaged"];
    expect(ofGroup(stop)).toEqual({ obstacles: said, problems: [] });
    expect(ofGroup({ ...stop, volumes: 0, linkUp: false })).toEqual({ obstacles: [], problems: said });
  });

  test("without volumes needs nothing, once the remote has all of it", () => {
    expect(ofGroup({ volumes: 0, linkUp: false })).toEqual({ obstacles: [], problems: [] });
    expect(ofGroup({ volumes: 0, linkUp: false, lagRecords: 1 }).problems).toHaveLength(1);
  });
});

test("a side that does not answer, a group that the remote appliance has stopped, and one that is not sealed, are said", () => {
  expect(
    readinessOf({
      ...nothing,
      silent: [{ side: "local", seconds: 3 }],
      store: { trouble: "the process that keeps the store hangs", jobTroubles: ["the last scrub has failed"] },
      remoteGroups: [
        { name: "g", state: "full", why: "its disk is full" },
        { name: "h", state: "open" },
        { name: "i", state: "open", sealWhy: "its folder is gone" },
        { name: "j", state: "open", sealWhy: "its folder is damaged", isSealStuck: true },
      ],
    }),
  ).toEqual({
    obstacles: ["the local side has not answered for 3 s"],
    problems: [
      "group g is full at the remote appliance: its disk is full",
      "the process that keeps the store hangs",
      "the last scrub has failed",
      "what group i has written waits for the store: its folder is gone",
      "what group j has written cannot be stored: its folder is damaged (it is tried again ever more rarely; when it is " +
        "mended 'tidemark store retry' tries it at once)",
    ],
  });
});

test("damage that is known and not repaired is said, once", () => {
  const store = (findings: number, ...jobTroubles: readonly string[]) =>
    readinessOf({ ...nothing, store: { jobTroubles, state: { scrub: { findings } } as never } });
  const problems = ["the store is damaged, and not all of that is repaired: 2 findings; 'tidemark scrub' tells more"];
  expect(store(2)).toEqual({ obstacles: [], problems });
  expect(store(0).problems).toEqual([]);
  const told = "the last scrub of the store has found what must be looked at: 'tidemark job show 3' tells more";
  expect(store(2, told).problems).toEqual([told]);
});
