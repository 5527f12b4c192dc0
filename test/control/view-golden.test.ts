/** Views, what was written to them, and drills, as version 1 has them: what is there today must be found by every later program. */
import { expect, test } from "vitest";
import type { Drill } from "#src/control/drill.ts";
import { DrillBook } from "#src/control/drill-book.ts";
import type { ViewDefinition } from "#src/control/view.ts";
import { ViewShelf } from "#src/control/view-shelf.ts";
import { whenDone } from "#src/host/when-done.ts";
import { LostSync } from "#src/synth/lost-sync.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { golden, put, written } from "./golden-files.ts";

const view: ViewDefinition = {
  ...{ id: "ab".repeat(16), name: "mine", group: "cd".repeat(16), groupName: "g", volume: 2, volumeName: "disk" },
  ...{ seq: 2 ** 40 + 7, timeMicros: 1_800_000_000_000_001, isWritable: true, incarnation: 4_000_000_001 },
  ...{ openedMs: 1_800_000_000_000, isPutAway: true, since: [{ name: "then", seq: 5 }] },
};

const drill: Omit<Drill, "id"> = {
  ...{ group: "cd".repeat(16), groupName: "g", volume: 2, volumeName: "disk", seq: 2 ** 40 + 7 },
  ...{ timeMicros: 1_800_000_000_000_001, outcome: "failed", command: "check", why: "it ended with status 1" },
  ...{ by: "schedule", startedMs: 1_800_000_000_000, durationMs: 1500 },
};

function world() {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  const { files } = host;
  const waited = async <Result>(promise: Promise<Result>): Promise<Result> => {
    let isOver = false;
    void promise.finally(() => {
      isOver = true;
    });
    await simDriver(simulation.clock).until(() => isOver);
    return promise;
  };
  return { host, files, waited };
}

test("the document of a view", async () => {
  const { files, waited } = world();
  await waited(ViewShelf.open(files, "/views").put(view));
  const bytes = golden("view-v1.bin");
  expect(written(files, `/views/${view.id}/view.json`).toString()).toBe(bytes.toString());
  const other = world();
  other.files.makeFolder("/views");
  other.files.makeFolder(`/views/${view.id}`);
  put(other.files, `/views/${view.id}/view.json`, bytes);
  expect(ViewShelf.open(other.files, "/views").all).toEqual([view]);
});

const { since: _, ...bare } = view;

test.each([
  ["view-leased-v1.bin", { ...bare, isPutAway: false, isLeased: true }],
  ["view-copied-v1.bin", { ...bare, copiedTo: "/srv/mine.img" }],
] as const)("the document of a view that is held, or copied: %s", async (name, held) => {
  const { files, waited } = world();
  await waited(ViewShelf.open(files, "/views").put(held));
  expect(written(files, `/views/${view.id}/view.json`).toString()).toBe(golden(name).toString());
  expect(ViewShelf.open(files, "/views").all).toEqual([held]);
});

test("the note of a sync that was lost", async () => {
  const { host, files, waited } = world();
  const lost = LostSync.open(host, "/lost-sync.json");
  lost.note(new Error("the disk has failed"));
  await waited(lost.settled());
  const bytes = golden("lost-sync-v1.bin");
  expect(written(files, "/lost-sync.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/lost-sync.json", bytes);
  expect(LostSync.open(other.host, "/lost-sync.json").error?.message).toContain("the disk has failed");
  host.cutPower();
  expect(LostSync.open(host, "/lost-sync.json").error).toBeUndefined();
});

test("the document of drills", async () => {
  const { host, files, waited } = world();
  await waited(DrillBook.open(host, "/drills.json").add(drill));
  await waited(whenDone((done) => files.syncFolder("/", done)));
  const bytes = golden("drills-v1.bin");
  expect(written(files, "/drills.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/drills.json", bytes);
  expect(DrillBook.open(other.host, "/drills.json").all).toEqual([{ id: 1, ...drill }]);
});

test("damaged documents of a view and of drills are told, set aside or left alone, and hinder nothing", async () => {
  const { host, files, waited } = world();
  files.makeFolder("/views");
  files.makeFolder(`/views/${view.id}`);
  const bytes = Buffer.from(golden("view-v1.bin"));
  bytes[200] = (bytes[200] as number) ^ 1;
  put(files, `/views/${view.id}/view.json`, bytes);
  const shelf = ViewShelf.open(files, "/views");
  expect([shelf.all, [...shelf.damaged.keys()]]).toEqual([[], [view.id]]);
  const path = `/views/${view.id}`;
  expect(shelf.troubles).toEqual([
    expect.stringMatching(new RegExp(`${path}/view.json is damaged.* removing ${path} `)),
  ]);
  // What was written to it stays, for people.
  shelf.sweep();
  expect([files.list(`/views/${view.id}`), shelf.freeId(new Set())]).toEqual([["view.json"], undefined]);
  const drills = Buffer.from(golden("drills-v1.bin"));
  drills[200] = (drills[200] as number) ^ 1;
  put(files, "/drills.json", drills);
  const book = DrillBook.open(host, "/drills.json");
  expect(book.all).toEqual([]);
  expect((await waited(book.add(drill))).id).toBe(1);
  expect(files.list("/")).toContain("drills.json.damaged");
});
