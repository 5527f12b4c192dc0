/** Snapshots that are made by themselves, and those that somebody waits for. */
import { expect, test } from "vitest";
import { SnapshotLane } from "#src/control/snapshot-lane.ts";
import { StopError } from "#src/core/errors.ts";
import { isSnapshotDue, type SnapshotPolicy } from "#src/synth/snapshot-policy.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { HistoryWorld } from "#test/synth/history-world.ts";
import { idleControl } from "#test/synth/snapshot-world.ts";

const never = Number.POSITIVE_INFINITY;

async function laneOf(policy: SnapshotPolicy) {
  const world = await HistoryWorld.make(3);
  await world.run(world.open());
  const lane = new SnapshotLane({
    clock: world.host.clock,
    log: rememberingLog([]),
    policy,
    historyOf: () => world.history,
    isSealing: () => false,
  });
  /** Tells it of a piece. Answers the last seq. */
  const sealed = async (unitCount: number): Promise<number> => {
    await world.run(world.seal(unitCount));
    lane.sealed(pieceGroup);
    await world.run(lane.settled());
    return world.records.at(-1)?.seq ?? 0;
  };
  const seqs = () => world.run(world.history.snapshotSeqs());
  return { world, lane, sealed, seqs };
}

test("a snapshot is due after so many records or so much time, and never without a record", () => {
  const policy = { everyMicros: 1000, everyRecords: 50 };
  const last = { seq: 100, timeMicros: 5000 };
  expect(isSnapshotDue(policy, last, { seq: 149, timeMicros: 5999 })).toBe(false);
  expect(isSnapshotDue(policy, last, { seq: 150, timeMicros: 5001 })).toBe(true);
  expect(isSnapshotDue(policy, last, { seq: 101, timeMicros: 6000 })).toBe(true);
  expect(isSnapshotDue(policy, last, { seq: 100, timeMicros: 9000 })).toBe(false);
  // A clock that was put back makes none due, and hinders none.
  expect(isSnapshotDue(policy, last, { seq: 149, timeMicros: 0 })).toBe(false);
  const off = { everyMicros: never, everyRecords: never };
  expect(isSnapshotDue(off, last, { seq: 2 ** 40, timeMicros: 2 ** 50 })).toBe(false);
});

test("snapshots are made by themselves when enough was sealed, and counted", async () => {
  const { world, lane, sealed, seqs } = await laneOf({ everyMicros: never, everyRecords: 150 });
  const made: number[] = [];
  let last = 0;
  for (let piece = 0; piece < 8; piece++) {
    const seq = await sealed(8);
    if (seq - last >= 150) {
      made.push(seq);
      last = seq;
    }
  }
  expect(made.length).toBeGreaterThan(1);
  expect(await seqs()).toEqual(made);
  expect(lane.figures).toMatchObject({ made: made.length, failed: 0 });
  expect(lane.figures.pointersToJournal).toBeGreaterThan(0);
  for (const seq of made) {
    const snapshot = await world.run(world.history.makeSnapshot(seq, idleControl));
    expect(await world.run(world.differences(snapshot))).toEqual([]);
  }
});

test("who waits for one gets it at once, and what is made by itself goes on afterwards", async () => {
  const { world, lane, seqs } = await laneOf({ everyMicros: never, everyRecords: 1 });
  await world.run(world.seal(30));
  const middle = world.records[40]?.seq as number;
  lane.sealed(pieceGroup);
  const { snapshot, isNew } = await world.run(lane.make(pieceGroup, middle));
  expect([snapshot.seq <= middle, isNew]).toEqual([true, true]);
  await world.run(lane.settled());
  expect(await seqs()).toEqual([snapshot.seq, world.records.at(-1)?.seq]);
  expect((await world.run(lane.make(pieceGroup, snapshot.seq))).isNew).toBe(false);
  expect(lane.figures.made).toBe(2);
});

test("one that cannot be made is tried again when more was sealed", async () => {
  const { world, lane, sealed, seqs } = await laneOf({ everyMicros: never, everyRecords: 1 });
  const { history } = world;
  const make = history.makeSnapshot.bind(history);
  history.makeSnapshot = () => Promise.reject(new StopError("the disk is full"));
  await sealed(5);
  expect([lane.figures.failed, await seqs()]).toEqual([1, []]);
  history.makeSnapshot = make;
  expect(await sealed(5)).toBe((await seqs())[0]);
});

test("what is under way when the process stops leaves nothing", async () => {
  const { world, lane, seqs } = await laneOf({ everyMicros: never, everyRecords: 1 });
  await world.run(world.seal(30));
  lane.sealed(pieceGroup);
  await world.run(lane.stop());
  lane.sealed(pieceGroup);
  await world.run(lane.settled());
  expect((await seqs()).length).toBeLessThanOrEqual(1);
});
