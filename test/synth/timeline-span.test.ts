import { expect, test } from "vitest";
import { timelineItemsMax } from "#src/core/point-limits.ts";
import { latestWithin, wholeSpan } from "#src/synth/timeline-span.ts";
import type { TimelineMark, VolumeTimeline } from "#src/synth/volume-timeline.ts";

/** A mark for each microsecond. */
function historyOf(count: number): Omit<VolumeTimeline, "isCut"> {
  const marks = Array.from({ length: count }, (_, index): TimelineMark => {
    return { name: `m-${index}`, seq: index, timeMicros: index, isQuiesced: false, isPoint: true };
  });
  const range = (from: number, to: number) => {
    return { kind: "points", firstSeq: from, lastSeq: to, fromMicros: from, toMicros: to } as const;
  };
  const snapshots = [{ seq: 5, timeMicros: undefined }, ...[10, 20].map((seq) => ({ seq, timeMicros: seq }))];
  const ranges = [range(0, 14), range(15, count - 1)];
  return { marks, ranges, events: [], snapshots, damaged: [], newestSeq: count - 1, newestMicros: count - 1 };
}

test("what lies within a span is told, however much there is behind it, and what has no time always", () => {
  const found = latestWithin(historyOf(timelineItemsMax + 100), { fromMicros: 8, toMicros: 12 });
  expect(found.marks.map(({ seq }) => seq)).toEqual([8, 9, 10, 11, 12]);
  expect(found.ranges.map(({ firstSeq }) => firstSeq)).toEqual([0]);
  expect(found.snapshots.map(({ seq }) => seq)).toEqual([5, 10]);
  expect(found.isCut).toBe(false);
});

test("of more than one answer tells the latest are told, and that there are more", () => {
  const { marks, isCut } = latestWithin(historyOf(timelineItemsMax + 100), wholeSpan);
  expect([marks.length, marks[0]?.seq, isCut]).toEqual([timelineItemsMax, 100, true]);
  const early = latestWithin(historyOf(timelineItemsMax + 100), { fromMicros: undefined, toMicros: timelineItemsMax });
  expect([early.marks.length, early.marks.at(-1)?.seq, early.isCut]).toEqual([
    timelineItemsMax,
    timelineItemsMax,
    true,
  ]);
});
