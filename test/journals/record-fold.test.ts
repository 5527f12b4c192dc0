import { expect, test } from "vitest";
import { type FoldRule, RecordFold } from "#src/journals/record-fold.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import {
  contentOf,
  type PlainRecord,
  plainRecords,
  RandomUnits,
  type Unit,
  volumeBlocks,
  volumeCount,
} from "./random-units.ts";
import { listOf, PieceMaker } from "./sealed-pieces.ts";

const base = 1_700_000_000_000_000;

/** As records are a second and less from each other, and not a moment. */
function spreadOut(records: readonly PlainRecord[]): PlainRecord[] {
  return records.map((record) => ({ ...record, timeMicros: base + (record.timeMicros - base) * 1000 }));
}

function folded(records: readonly PlainRecord[], rule: FoldRule): Unit[] {
  const fold = new RecordFold(rule, 1);
  return [...records.flatMap((record) => [...fold.add(record)]), ...fold.finish()];
}

/** Records behind which there is a state of the volumes. */
function pointsOf(records: readonly PlainRecord[]): PlainRecord[] {
  return records.filter(({ isAggregated, type }) => !isAggregated || type === recordType.aggregate);
}

function isEvent({ type }: PlainRecord): boolean {
  const { write, trim, zero, flush, aggregate } = recordType;
  return ![write, trim, zero, flush, aggregate].includes(type as 1);
}

function stateAt(records: readonly PlainRecord[], seq: number): (number | undefined)[] {
  const state: (number | undefined)[] = [];
  for (let volume = 1; volume <= volumeCount; volume++) {
    for (let block = 0; block < volumeBlocks + 8; block++) state.push(contentOf(records, volume, block, seq)?.address);
  }
  return state;
}

const keepsAllMarks = { keepsPoint: () => false, keepsMark: () => true };

test("whatever a rule leaves of points reads as it did before, and there are no others", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new SeededRandom(seed);
    const records = spreadOut(plainRecords(new RandomUnits(random).take(60)));
    const points = pointsOf(records);
    const kept = new Set(points.filter(() => random.chance(0.02)).map(({ seq }) => seq));
    const keptMarks = new Set(points.filter(() => random.chance(0.5)).map(({ seq }) => seq));
    const level = random.pick([1, 2, 7, 60]);
    const keepsMark = ({ seq }: PlainRecord) => keptMarks.has(seq);
    const units = folded(records, { level, keepsPoint: (seq) => kept.has(seq), keepsMark });
    const left = plainRecords(units);
    const isFixed = (record: PlainRecord) => isEvent(record) && (record.type !== recordType.mark || keepsMark(record));
    const interval = ({ timeMicros }: PlainRecord) => Math.floor(timeMicros / (level * 1_000_000));
    const expected = points.filter((point, index) => {
      const next = points[index + 1];
      if (next === undefined || isFixed(point) || isFixed(next)) return true;
      return kept.has(point.seq) || interval(point) !== interval(next);
    });
    expect(pointsOf(left).map(({ seq }) => seq)).toEqual(expected.map(({ seq }) => seq));
    for (const { seq } of expected) expect(stateAt(left, seq)).toEqual(stateAt(records, seq));
    expect(left.filter(isFixed)).toEqual(records.filter(isFixed));
    // What was folded is a journal, and can be sealed.
    const piece = await new PieceMaker().seal(units);
    expect(await listOf(piece.records())).toEqual(left);
  }
});

test("points of a coarse level are points of each finer one", () => {
  const records = spreadOut(plainRecords(new RandomUnits(new SeededRandom(5)).take(300)));
  const seqs = (level: number) =>
    pointsOf(plainRecords(folded(records, { level, ...keepsAllMarks }))).map(({ seq }) => seq);
  const [fine, coarse] = [new Set(seqs(2)), seqs(60)];
  expect(coarse.length).toBeLessThan(fine.size);
  expect(coarse.filter((seq) => !fine.has(seq))).toEqual([]);
  const twice = plainRecords(
    folded(plainRecords(folded(records, { level: 2, ...keepsAllMarks })), { level: 60, ...keepsAllMarks }),
  );
  expect(pointsOf(twice).map(({ seq }) => seq)).toEqual(coarse);
});

/** One block is written at each of these times. */
function writes(
  times: readonly { readonly seconds: number; readonly level: number; readonly volume?: number }[],
): PlainRecord[] {
  return times.map(({ seconds, level, volume = 1 }, index) => ({
    ...{ type: recordType.write, volume, seq: index + 1, epoch: 1, ordinal: index + 1, level, extraBytes: 0 },
    ...{ timeMicros: base + seconds * 1e6, startBlock: 3, blockCount: 1, address: 65_536 + index },
    ...{ isAggregated: false, extra: Buffer.alloc(0) },
  }));
}

test("what was written at a coarse level is folded to its interval, and nothing else", () => {
  const times = [0, 1, 2, 10, 11, 12].map((seconds) => ({ seconds, level: seconds < 10 ? 0 : 10 }));
  const left = pointsOf(plainRecords(folded(writes(times), { level: 0, ...keepsAllMarks })));
  expect(left.map(({ seq }) => seq)).toEqual([1, 2, 3, 6]);
});

test("where volumes have different levels the finest counts", () => {
  const times = [0, 1, 2, 3].map((seconds) => ({
    seconds,
    level: seconds === 1 ? 0 : 10,
    volume: seconds === 1 ? 2 : 1,
  }));
  const left = pointsOf(plainRecords(folded(writes(times), { level: 0, ...keepsAllMarks })));
  expect(left.map(({ seq }) => seq)).toEqual([1, 2, 4]);
});

test("an aggregate says how many records and how much payload it was folded from", () => {
  const times = [0, 1, 2].map((seconds) => ({ seconds, level: 10 }));
  const left = plainRecords(folded(writes(times), { level: 0, ...keepsAllMarks }));
  expect(left.map(({ type }) => type)).toEqual([recordType.write, recordType.aggregate]);
  expect(left[0]).toMatchObject({ seq: 3, ordinal: 0, address: 65_538 });
  expect(left[1]?.extra).toEqual(encodeExtra({ records: 3, bytes: 3 * 4096 }));
});

test("a volume of which there was nothing but flushes is still spoken of", () => {
  const [first, second, third] = writes([0, 1, 2].map((seconds) => ({ seconds, level: 0 })));
  const flush = {
    ...(second as PlainRecord),
    type: recordType.flush,
    volume: 2,
    startBlock: 0,
    blockCount: 0,
    address: 0,
  };
  const left = plainRecords(
    folded([first as PlainRecord, flush, third as PlainRecord], { level: 10, ...keepsAllMarks }),
  );
  expect(left.map(({ type, volume, blockCount }) => ({ type, volume, blockCount }))).toEqual([
    { type: recordType.write, volume: 1, blockCount: 1 },
    { type: recordType.trim, volume: 2, blockCount: 0 },
    { type: recordType.aggregate, volume: 0, blockCount: 0 },
  ]);
});
