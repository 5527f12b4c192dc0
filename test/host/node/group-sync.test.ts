import { expect, test } from "vitest";
import type { DoneCallback } from "#src/host/block-device.ts";
import { GroupSync } from "#src/host/node/group-sync.ts";
import { realDriver } from "#test/contract/driver.ts";

/** A sync that ends when the test says so. */
function byHand(): { syncs: GroupSync; started: DoneCallback[]; idle: () => number } {
  const started: DoneCallback[] = [];
  let idleCount = 0;
  const syncs = new GroupSync(
    (done) => started.push(done),
    () => {
      idleCount++;
    },
  );
  return { syncs, started, idle: () => idleCount };
}

test("one sync runs at a time, and all who asked meanwhile share the next", () => {
  const { syncs, started } = byHand();
  const answers: string[] = [];
  for (const name of ["a", "b", "c"]) syncs.sync(() => answers.push(name));
  expect(started.length).toBe(1);
  started[0]?.(null);
  expect([answers, started.length]).toEqual([["a"], 2]);
  started[1]?.(null);
  expect([answers, started.length, syncs.running]).toEqual([["a", "b", "c"], 2, false]);
});

test("who asks inside of an answer waits for a sync that begins after that", () => {
  const { syncs, started } = byHand();
  const answers: string[] = [];
  syncs.sync(() => syncs.sync(() => answers.push("inner")));
  started[0]?.(null);
  expect([answers, started.length]).toEqual([[], 2]);
  started[1]?.(null);
  expect(answers).toEqual(["inner"]);
});

test("idle is said after the last answer only", () => {
  const { syncs, started, idle } = byHand();
  syncs.sync(() => {});
  syncs.sync(() => {});
  started[0]?.(null);
  expect(idle()).toBe(0);
  started[1]?.(null);
  expect(idle()).toBe(1);
});

test("after a failure no sync is tried, and everyone hears of the first one", async () => {
  const { syncs, started } = byHand();
  const failure = new Error("the disk is broken");
  const answers: (Error | null)[] = [];
  syncs.sync((error) => answers.push(error));
  syncs.sync((error) => answers.push(error));
  started[0]?.(failure);
  await realDriver.until(() => answers.length === 2);
  syncs.sync((error) => answers.push(error));
  expect(answers.length).toBe(2);
  await realDriver.until(() => answers.length === 3);
  expect([answers, started.length]).toEqual([[failure, failure, failure], 1]);
});
