import { expect, test } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { encodeExtra, type RecordType, recordType } from "#src/records/record.ts";
import { isPoint, type VolumeState, VolumeStates } from "#src/synth/volume-state.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

function record(type: RecordType, extra: object = {}): JournalRecord {
  const place = { volume: 1, seq: 1, timeMicros: 1, epoch: 1, ordinal: 0, level: 0 };
  const nothing = { startBlock: 0, blockCount: 0, address: 0, extraBytes: 0 };
  return { type, ...place, ...nothing, extra: encodeExtra(extra), isAggregated: false };
}

const joins = record(recordType.volume, { id: "a", name: "first", sizeBytes: 2 ** 30 });

/** Behind each of the records, whether the volume has a point there. */
function pointsAfter(records: readonly JournalRecord[], states: Iterable<VolumeState> = []): boolean[] {
  const volumes = new VolumeStates(states);
  return records.map((one) => {
    volumes.saw(one);
    return volumes.all.every(isPoint);
  });
}

test("a volume that was empty has points from its first record on", () => {
  expect(pointsAfter([joins, record(recordType.write), record(recordType.trim)])).toEqual([false, true, true]);
});

test("one that is copied at first has points when the copy is complete", () => {
  const { resyncBegin, write, resyncEnd, initialComplete } = recordType;
  const types = [resyncBegin, write, resyncBegin, resyncEnd, initialComplete, write];
  expect(pointsAfter(types.map((type) => record(type)))).toEqual([false, false, false, false, true, true]);
});

test("one that was empty, and whose regions were journaled anew before anything was written, has points behind that", () => {
  const { resyncBegin, write, resyncEnd, flush } = recordType;
  const types = [resyncBegin, write, resyncEnd, flush, resyncBegin, write, resyncEnd];
  const points = pointsAfter([joins, joins, ...types.map((type) => record(type))]);
  expect(points).toEqual([false, false, false, false, false, true, false, false, true]);
});

test("within a resync it has none, and what came before and comes behind stays", () => {
  const { resyncBegin, write, resyncEnd } = recordType;
  const types = [write, resyncBegin, write, resyncEnd, write];
  expect(pointsAfter(types.map((type) => record(type)))).toEqual([true, false, false, true, true]);
});

test("a state that was kept goes on where it was", () => {
  const before = new VolumeStates([]);
  for (const one of [joins, record(recordType.resyncBegin)]) before.saw(one);
  const { resyncEnd, initialComplete } = recordType;
  expect(pointsAfter([record(resyncEnd), record(initialComplete)], before.all)).toEqual([false, true]);
});

test("a resize changes the size, and what says nothing sound changes nothing", () => {
  const volumes = new VolumeStates([]);
  volumes.saw(joins);
  volumes.saw(record(recordType.resize, { sizeBytes: 2 ** 40, previousBytes: 2 ** 30 }));
  expect(volumes.all[0]?.identity).toEqual({ id: "a", name: "first", sizeBytes: 2 ** 40 });
  volumes.saw(record(recordType.resize, { sizeBytes: -5 }));
  volumes.saw(record(recordType.volume, { id: 7 }));
  expect(volumes.all[0]?.identity).toEqual({ id: "a", name: "first", sizeBytes: 2 ** 40 });
});

test("records that are said to leave all as it is do so", () => {
  const random = new SeededRandom(5);
  let [left, changed] = [0, 0];
  for (let round = 0; round < 300; round++) {
    const volumes = new VolumeStates([]);
    for (let page = 0; page < 6; page++) {
      const kinds = random.pick([[recordType.write, recordType.flush], Object.values(recordType)]);
      const records = Array.from({ length: 3 }, () => {
        const extra = { id: "a", name: "b", sizeBytes: 4096 * random.integerBelow(3) };
        return { ...record(random.pick(kinds), extra), volume: random.integerBelow(3) };
      });
      const types = new Set(records.map(({ type }) => type));
      const isLeft = volumes.areLeftBy({ types, volumes: records.map(({ volume }) => volume) });
      const before = volumes.all;
      for (const one of records) volumes.saw(one);
      if (isLeft) expect(volumes.all).toEqual(before);
      left += isLeft ? 1 : 0;
      changed += isLeft ? 0 : 1;
    }
  }
  expect(Math.min(left, changed)).toBeGreaterThan(100);
});
