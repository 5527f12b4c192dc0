import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { synthesisPiecesMax } from "#src/core/store-limits.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { HistoryWorld } from "./history-world.ts";
import { idleControl } from "./snapshot-world.ts";

async function opened(seed: number, pieceCount: number, unitCount = 6): Promise<HistoryWorld> {
  const world = await HistoryWorld.make(seed);
  await world.run(world.open());
  for (let count = 0; count < pieceCount; count++) await world.run(world.seal(unitCount));
  return world;
}

const seqsOf = async (world: HistoryWorld) =>
  (await world.run(world.history.snapshots())).map((one) => (one instanceof Error ? one.message : one.seq));

test("a history that begins later has every point from there on, and none before", async () => {
  const world = await opened(3, 5);
  const { history, run } = { history: world.history, run: world.run.bind(world) };
  const pieces = await run(world.pieces());
  const [first, second, third] = pieces.map((piece) => piece.numbers.lastSeq) as [number, number, number];
  await run(history.makeSnapshot(first, idleControl));
  const plan = await run(history.retain({ fromSeq: third - 1 }, idleControl));
  expect(plan.base).toMatchObject({ seq: second, isThere: false });
  expect((await run(world.pieces())).map((piece) => piece.identity)).toEqual(pieces.slice(2).map((it) => it.identity));
  expect(await seqsOf(world)).toEqual([second]);
  const seqs = [...new Set(world.records.map((record) => record.seq))].filter((seq) => seq >= second);
  for (const seq of seqs.filter((_, index) => index % 7 === 0)) {
    expect(await run(world.differences(await run(history.makeSnapshot(seq, idleControl))))).toEqual([]);
  }
  await expect(run(history.makeSnapshot(second - 1, idleControl))).rejects.toThrow(RefuseError);
  await run(world.seal(6));
  expect(await run(history.newestSeq())).toBe(world.records.at(-1)?.seq);
});

test("the newest piece stays, and whoever seals goes on behind it", async () => {
  const world = await opened(4, 3);
  await world.run(world.history.retain({ fromSeq: Number.MAX_SAFE_INTEGER }, idleControl));
  expect(await world.run(world.pieces())).toHaveLength(1);
  await world.run(world.seal(4));
  const snapshot = await world.run(world.history.makeSnapshot(world.records.at(-1)?.seq ?? 0, idleControl));
  expect(await world.run(world.differences(snapshot))).toEqual([]);
});

test("a snapshot that was removed is a point no more, though others may point into it", async () => {
  const world = await opened(5, 3);
  const [first, second] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as [number, number];
  await world.run(world.history.makeSnapshot(first, idleControl));
  const later = await world.run(world.history.makeSnapshot(second, idleControl));
  await world.run(world.history.removeSnapshot(first));
  expect(await seqsOf(world)).toEqual([second]);
  await world.run(world.history.retain({}, idleControl));
  expect(await world.run(world.differences(later))).toEqual([]);
  await expect(world.run(world.history.removeSnapshot(first))).rejects.toThrow("there is no snapshot");
  await world.run(world.history.makeSnapshot(first, idleControl));
  expect(await seqsOf(world)).toEqual([first, second]);
});

test("a history that begins where a snapshot was removed has it again", async () => {
  const world = await opened(5, 3);
  const [first] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as [number];
  await world.run(world.history.makeSnapshot(first, idleControl));
  await world.run(world.history.removeSnapshot(first));
  await world.run(world.history.retain({ fromSeq: first }, idleControl));
  expect(await seqsOf(world)).toEqual([first]);
  const lastSeq = world.records.at(-1)?.seq ?? 0;
  const snapshot = await world.run(world.history.makeSnapshot(lastSeq, idleControl));
  expect(await world.run(world.differences(snapshot))).toEqual([]);
});

test("a pin holds the history behind it, another one just its snapshot", async () => {
  const world = await opened(6, 5);
  const { history } = world;
  const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
  const [first = 0, second = 0, third = 0] = ends;
  await world.run(history.makeSnapshot(first, idleControl));
  await world.run(history.pin({ id: "a", seq: first, keeps: "snapshot", reason: "asked for" }));
  await world.run(history.pin({ id: "b", seq: third - 1, keeps: "history", reason: "is open" }));
  const plan = await world.run(history.retain({ fromSeq: Number.MAX_SAFE_INTEGER }, idleControl));
  expect(plan.heldBy?.id).toBe("b");
  expect(await seqsOf(world)).toEqual([first, second]);
  await expect(world.run(history.removeSnapshot(first))).rejects.toThrow("held by 'a'");
  await world.run(history.unpin("a"));
  await world.run(history.unpin("b"));
  await world.run(history.retain({ fromSeq: Number.MAX_SAFE_INTEGER }, idleControl));
  expect(await seqsOf(world)).toEqual([ends[3]]);
});

test("of a pinned snapshot that is lost it is said what would help, and one of which the pieces are there holds up nothing", async () => {
  const world = await opened(8, 6);
  const { history } = world;
  const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
  const [first = 0, second = 0, third = 0, fourth = 0] = ends;
  /** What this process has made it would know of. */
  const lose = async (seq: number): Promise<void> => {
    await world.run(world.objects.remove(snapshotName({ group: pieceGroup, seq })));
    await world.run(world.objects.close());
    await world.run(world.open());
  };
  for (const [id, seq] of Object.entries({ a: first, b: fourth })) {
    await world.run(history.makeSnapshot(seq, idleControl));
    await world.run(history.pin({ id, seq, keeps: "snapshot", reason: "asked for" }));
  }
  await lose(fourth);
  await world.run(world.history.retain({ fromSeq: second }, idleControl));
  expect((await world.run(world.history.history())).basedOn).toBe(second);
  await lose(first);
  const retain = () => world.run(world.history.retain({ fromSeq: third }, idleControl));
  await expect(retain()).rejects.toThrow(
    /from which points are made: put it back from a copy of the store, or let go of what holds it, 'a' \(asked for\)$/,
  );
  await world.run(world.history.unpin("a"));
  await retain();
  expect((await world.run(world.history.history())).basedOn).toBe(third);
});

test.each(["killed", "powerCut"] as const)(
  "faults 7 and 10: whenever it is %s, no point that is kept is lost, and the next run goes on",
  async (end) => {
    for (let points = 0; ; points++) {
      const world = await opened(7, 4, 3);
      const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
      const [first = 0, second = 0, third = 0] = ends;
      await world.run(world.history.makeSnapshot(first, idleControl));
      await world.run(world.objects.close());
      const { host } = world;
      const files = new DoomedFiles(host.files, points, () => (end === "killed" ? host.kill() : host.cutPower()));
      let isDone = false;
      const story = async () => {
        await world.open(files);
        await world.history.makeSnapshot(third, idleControl);
        await world.history.retain({ fromSeq: second }, idleControl);
        isDone = true;
      };
      void story().catch(() => {});
      await world.simulation.clock.settle();
      if (isDone) {
        expect(points).toBeGreaterThan(40);
        return;
      }
      await world.run(world.open());
      // They follow each other, and of what is said to be kept nothing is missing.
      await world.run(world.pieces());
      const { basedOn } = await world.run(world.history.history());
      for (const snapshot of await world.run(world.history.snapshots())) {
        if (snapshot instanceof Error) throw snapshot;
        expect(await world.run(world.differences(snapshot)), `after ${points} calls`).toEqual([]);
      }
      for (const seq of [first + 1, second, third + 1]) {
        if (seq < basedOn) continue;
        const snapshot = await world.run(world.history.makeSnapshot(seq, idleControl));
        expect(await world.run(world.differences(snapshot)), `after ${points} calls`).toEqual([]);
      }
      await world.run(world.history.retain({ fromSeq: second }, idleControl));
      expect((await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq)).toEqual(ends.slice(2));
    }
  },
);

test("there is no snapshot of a record that is not sealed yet, nor where nothing is", async () => {
  const world = await HistoryWorld.make(9);
  await world.run(world.open());
  await expect(world.run(world.history.makeSnapshot(1, idleControl))).rejects.toThrow("not sealed yet");
  const piece = await world.run(world.seal(3));
  const { lastSeq } = piece.numbers;
  await world.run(world.history.makeSnapshot(lastSeq, idleControl));
  await expect(world.run(world.history.makeSnapshot(lastSeq + 1, idleControl))).rejects.toThrow("not sealed yet");
});

test("where many pieces lie between, a snapshot is made in steps, and whoever is interrupted goes on from the last", async () => {
  const world = await opened(10, synthesisPiecesMax + 3);
  const seq = world.records.at(-1)?.seq ?? 0;
  let steps = 0;
  const throwIfCancelled = () => {
    if (steps++ === 1) throw new CancelledError();
  };
  await expect(world.run(world.history.makeSnapshot(seq, { ...idleControl, throwIfCancelled }))).rejects.toThrow(
    CancelledError,
  );
  expect(await seqsOf(world)).toHaveLength(1);
  const snapshot = await world.run(world.history.makeSnapshot(seq, idleControl));
  expect(snapshot.baseSeq).toBe((await seqsOf(world))[0]);
  expect(await world.run(world.differences(snapshot))).toEqual([]);
});
