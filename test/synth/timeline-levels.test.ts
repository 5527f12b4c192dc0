/** How close the points of a volume are, as its timeline tells it, where some were folded. */
import { expect, test } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { encodeExtra, type RecordType, recordType } from "#src/records/record.ts";
import { stretchKind, type VolumeStretch } from "#src/synth/volume-stretches.ts";
import { type TimelinePart, TimelineWalk } from "#src/synth/volume-timeline.ts";

function recordOf(seq: number, type: RecordType, says: object = {}): JournalRecord {
  const place = { volume: 1, seq, timeMicros: seq * 1000, epoch: 1, ordinal: 0, level: 0 };
  const nothing = { startBlock: 0, blockCount: 0, address: 0, extraBytes: 0 };
  return { type, ...place, ...nothing, extra: encodeExtra(says), isAggregated: false };
}

const plain = { level: 0, isFolded: false, hasAggregates: false, records: [], damaged: [] };

function pointsFrom(fromSeq: number): VolumeStretch {
  const isOpen = { untilSeq: undefined, untilMicros: undefined };
  return { kind: stretchKind.points, fromSeq, fromMicros: fromSeq * 1000, ...isOpen };
}

function granularities(...parts: readonly Partial<TimelinePart>[]): string[] {
  const walk = new TimelineWalk(1, [pointsFrom(1)]);
  for (const [index, part] of parts.entries()) {
    const firstSeq = 100 * index + 1;
    walk.saw({ ...plain, firstSeq, fromMicros: firstSeq * 1000, ...part });
  }
  const { ranges } = walk.finish(100 * parts.length, 1, []);
  return ranges.filter(({ kind }) => kind === "points").map(({ granularity }) => String(granularity));
}

const joins = recordOf(1, recordType.volume, { id: "a", name: "disk", sizeBytes: 4096 });
const write = recordOf(2, recordType.write);
const mode = recordOf(3, recordType.mode, { from: "async", to: "async" });
const coarse = recordOf(50, recordType.level, { seconds: 3600, previousSeconds: 0 });
const begin = { records: [joins, write, mode, coarse] };

test("what was folded to the level that it was written at has points of that level", () => {
  expect(granularities(begin, { isFolded: true, hasAggregates: true })).toEqual(["every-write", "3600s"]);
});

test("until it is folded each write is a point, and so it is where folding left each of them", () => {
  expect(granularities(begin, {}, { isFolded: true })).toEqual(["every-write"]);
});

test("what came of age beyond its own level has the coarser one", () => {
  const aged = { isFolded: true, hasAggregates: true, level: 86_400 };
  expect(granularities(begin, aged)).toEqual(["every-write", "86400s"]);
});
