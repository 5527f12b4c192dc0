/** What was written at a coarse level becomes few points by itself, when its time is over. */
import { expect, test } from "vitest";
import { FoldLane } from "#src/control/fold-lane.ts";
import { StopError } from "#src/core/errors.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import type { GroupHistory } from "#src/synth/group-history.ts";
import { listOf, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { pointsOf } from "#test/synth/folded-points.ts";
import { HistoryWorld } from "#test/synth/history-world.ts";

const level = 60;
const always = { quiescedMicros: Number.POSITIVE_INFINITY, otherMicros: Number.POSITIVE_INFINITY };
/** A whole minute. */
const beginMicros = 1_700_000_040_000_000;

async function laneOf(historyOf?: (history: GroupHistory) => Pick<GroupHistory, "foldLevels">) {
  const world = await HistoryWorld.make(5);
  await world.run(world.open());
  const lines: string[] = [];
  const lane = new FoldLane({
    ...{ clock: world.host.clock, log: rememberingLog(lines), marks: always, isSealing: () => false },
    historyOf: () => historyOf?.(world.history) ?? world.history,
    bytesPerSecondMax: Number.POSITIVE_INFINITY,
  });
  let seq = 0;
  /** A piece of writes ten seconds from each other. */
  const sealed = async (count: number): Promise<void> => {
    const units: SealedUnit[] = Array.from({ length: count }, () => {
      seq++;
      const place = { volume: 1, seq, timeMicros: beginMicros + (seq - 1) * 10e6, epoch: 1, ordinal: seq, level };
      const body = { type: recordType.write, startBlock: seq % 4, blockCount: 1, address: addressOf(9, seq) };
      const record = { ...place, ...body, extraBytes: 0, extraAt: 0 };
      return { firstSeq: seq, isAggregate: false, records: [record], bytes: Buffer.alloc(0) };
    });
    const previous = (await world.run(world.pieces())).at(-1)?.link;
    const parts = {
      objects: world.objects,
      randomness: world.host.randomness,
      key: undefined,
      group: pieceGroup,
      previous,
    };
    const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
    const build = async () => {
      for (const unit of units) await builder.add(unit);
      await SealedPiece.open(world.objects, await builder.finish(1), undefined);
    };
    await world.run(build());
    lane.sealed(pieceGroup);
    await world.run(lane.settled());
  };
  const points = async (): Promise<number[]> => {
    const pieces = await world.run(world.pieces());
    return pointsOf((await world.run(Promise.all(pieces.map((piece) => listOf(piece.records()))))).flat());
  };
  return { world, lane, lines, sealed, points };
}

test("a minute has one point left once a record of a later one is sealed, and not before", async () => {
  const { world, sealed, points } = await laneOf();
  await sealed(3);
  await sealed(3);
  expect(await points()).toEqual([1, 2, 3, 4, 5, 6]);
  await sealed(2);
  expect(await points()).toEqual([6, 7, 8]);
  // What it was made of is there until a collection has compared it.
  expect((await world.run(world.history.age({ steps: [], marks: always }, { ...idle }))).removedPieces).toBe(2);
});

test("what could not be folded is told, and tried again with the next piece", async () => {
  let isOut = true;
  const { lines, sealed, points } = await laneOf((history) => ({
    foldLevels: (marks, control) =>
      isOut ? Promise.reject(new StopError("the disk is full")) : history.foldLevels(marks, control),
  }));
  for (let count = 0; count < 3; count++) await sealed(3);
  expect(lines.join("\n")).toContain("pieces could not be folded");
  isOut = false;
  await sealed(1);
  expect(await points()).toEqual([6, 7, 8, 9, 10]);
});

test("after the end nothing is begun", async () => {
  const { world, lane, sealed, points } = await laneOf();
  await sealed(6);
  await world.run(lane.stop());
  await sealed(3);
  expect(await points()).toHaveLength(9);
});

const idle = { isCancelled: false, throwIfCancelled: () => {}, progress: () => {}, pace: async () => {} };
