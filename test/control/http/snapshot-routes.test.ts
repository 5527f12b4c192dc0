/** What the API answers about snapshots. */
import { expect, test } from "vitest";
import { SnapshotControl } from "#src/control/snapshot-control.ts";
import type { SnapshotFacts } from "#src/control/snapshot-facts.ts";
import { RefuseError } from "#src/core/errors.ts";
import { askedSide } from "./asked-side.ts";

const facts: SnapshotFacts = { seq: 7, isFirst: false, isAsked: true, heldBy: ["view-1"] };

test("a snapshot is made, listed, inspected, and removed", async () => {
  const { side, ask } = askedSide();
  const made = await ask("POST", "/volumes/disk/snapshots", { point: "mark:a" });
  expect([made.status, made.headers.location]).toEqual([201, "/api/v1/volumes/disk/snapshots/7"]);
  expect(made.body).toMatchObject({ seq: 7, isNew: true, seconds: 0.25 });
  await ask("POST", "/volumes/disk/snapshots");
  side.snapshots = [facts];
  expect((await ask("GET", "/volumes/disk/snapshots")).body).toEqual({ snapshots: [facts] });
  const inspected = await ask("GET", "/volumes/disk/snapshots/7");
  expect(inspected.body).toEqual({ items: [{ kind: "pointers", into: "snapshot", seq: 3, pointers: 8 }] });
  expect((await ask("DELETE", "/volumes/disk/snapshots/7")).status).toBe(200);
  expect(side.asked.filter((one) => !("snapshots" in (one as object)))).toEqual([
    { makeSnapshot: { volume: "disk", point: "mark:a", waitMs: 10_000 } },
    { makeSnapshot: { volume: "disk", waitMs: 10_000 } },
    { inspectSnapshot: { volume: "disk", seq: 7 } },
    { removeSnapshot: { volume: "disk", seq: 7 } },
  ]);
});

test("what is sealed first is told, and asked for again by its record", async () => {
  const { side, ask } = askedSide();
  const waits = { seq: 90, storedSeq: 40, unsealedBytes: 8192 };
  side.snapshotAnswer = { waits };
  const answer = await ask("POST", "/volumes/disk/snapshots", { waitSeconds: 1 });
  expect([answer.status, answer.body]).toEqual([202, { waits }]);
  await ask("POST", "/volumes/disk/snapshots", { seq: 90, waitSeconds: 0 });
  expect(side.asked).toEqual([
    { makeSnapshot: { volume: "disk", waitMs: 1000 } },
    { makeSnapshot: { volume: "disk", seq: 90, waitMs: 0 } },
  ]);
  const both = await ask("POST", "/volumes/disk/snapshots", { seq: 90, point: "now" });
  const long = await ask("POST", "/volumes/disk/snapshots", { waitSeconds: 21 });
  expect([both.status, long.status]).toEqual([400, 400]);
});

test("one that is not there is said not to be, and what cannot be is refused in words", async () => {
  const { side, ask } = askedSide();
  side.snapshots = [facts];
  expect((await ask("GET", "/volumes/disk/snapshots/8")).status).toBe(404);
  expect((await ask("DELETE", "/volumes/disk/snapshots/seven")).status).toBe(404);
  side.refusals.set("makeSnapshot", new RefuseError("nothing of it is sealed yet"));
  const refused = await ask("POST", "/volumes/disk/snapshots");
  expect([refused.status, refused.body.detail]).toEqual([422, "nothing of it is sealed yet"]);
});

test("where no remote appliance runs it is said where snapshots are", async () => {
  await expect(new SnapshotControl(undefined, async () => {}).all("disk")).rejects.toThrow("--api URL");
});
