/** The few records by which it is told what a volume's history is say the same as all of them. */
import { expect, test } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { encodeExtra, type RecordType, recordType } from "#src/records/record.ts";
import { EventFilter } from "#src/synth/piece-events.ts";
import { VolumeStates } from "#src/synth/volume-state.ts";
import { type StretchStart, StretchWalk } from "#src/synth/volume-stretches.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const start: StretchStart = { seq: 0, timeMicros: 0, states: [] };

function recordOf(type: RecordType, seq: number, volume = 1): JournalRecord {
  const place = { volume, seq, timeMicros: seq, epoch: 1, ordinal: 0, level: 0 };
  const says = type === recordType.volume ? { id: "a", name: "first", sizeBytes: 2 ** 30 } : {};
  const nothing = { startBlock: 0, blockCount: 0, address: 0, extraBytes: 0 };
  return { type, ...place, ...nothing, extra: encodeExtra(says), isAggregated: false };
}

function telling(records: readonly JournalRecord[]): JournalRecord[] {
  const filter = new EventFilter();
  return records.filter((record) => filter.isTelling(record));
}

function stretchesOf(records: readonly JournalRecord[], volume = 1) {
  const walk = new StretchWalk(volume, start);
  for (const record of records) walk.saw(record);
  return walk.stretches;
}

test("a volume whose first record is a resync has points behind the first that follows its end", () => {
  const { resyncBegin, write, resyncEnd, flush } = recordType;
  const types = [resyncBegin, write, resyncEnd, write, flush, write];
  const records = types.map((type, index) => recordOf(type, index + 1));
  expect(stretchesOf(telling(records))).toEqual(stretchesOf(records));
  expect(stretchesOf(telling(records)).at(-1)).toMatchObject({ kind: "points", fromSeq: 4 });
});

test("a level that was set before anything was written hides no first record", () => {
  const { volume, level, write } = recordType;
  const records = [volume, level, write, write].map((type, index) => recordOf(type, index + 1));
  expect(stretchesOf(telling(records)).at(-1)).toMatchObject({ kind: "points", fromSeq: 3 });
});

test("whatever came, in pages or not, it comes to the same", () => {
  const { volume, resyncBegin, resyncEnd, initialComplete, write, trim, flush, level, mark, resize } = recordType;
  const types = [volume, resyncBegin, resyncEnd, initialComplete, write, write, trim, flush, level, mark, resize];
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const records = Array.from({ length: 40 }, (_, index) => {
      return recordOf(types[random.integerBelow(types.length)] as RecordType, index + 1, 1 + random.integerBelow(2));
    });
    const told = telling(records);
    for (const number of [1, 2]) expect(stretchesOf(told, number)).toEqual(stretchesOf(records, number));
    // The same where pages that have nothing to tell are passed over.
    const filter = new EventFilter();
    const paged: JournalRecord[] = [];
    for (let first = 0; first < records.length; first += 4) {
      const page = records.slice(first, first + 4);
      const [ofPage, volumes] = [new Set(page.map(({ type }) => type)), [...new Set(page.map((one) => one.volume))]];
      if (!filter.passesOver(ofPage, volumes)) paged.push(...page.filter((record) => filter.isTelling(record)));
    }
    const states = [records, paged].map((some) => {
      const volumes = new VolumeStates([]);
      for (const record of some) volumes.saw(record);
      return volumes.all;
    });
    expect(states[1]).toEqual(states[0]);
  }
});
