import { expect, test } from "vitest";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { newestPointSeq, oldestMs, pinNear, rangeAt, rangeInWords, timelineShape } from "#src/ui/timeline-shape.ts";

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
const span = { fromMs: Date.parse(at(0)), toMs: Date.parse(at(100)) };

const report: TimelineReport = {
  volume: "disk",
  newest: { seq: 90, time: at(90) },
  ranges: [
    { kind: "joined", firstSeq: 1, lastSeq: 9, from: at(-20), to: at(-10) },
    { kind: "points", granularity: "60s", firstSeq: 10, lastSeq: 19, from: at(-10), to: at(20) },
    { kind: "points", granularity: "aggregate", firstSeq: 20, lastSeq: 39, from: at(20), to: at(40) },
    { kind: "resync", firstSeq: 40, lastSeq: 49, from: at(40), to: at(50) },
    { kind: "points", granularity: "every-write", firstSeq: 50, lastSeq: 90, from: at(50), to: at(90) },
  ],
  marks: [
    { name: "before", seq: 30, time: at(30), quiesced: true, point: true },
    { name: "a-long-name-of-a-mark", seq: 60, time: at(60), quiesced: false, point: true },
    { name: "b", seq: 61, time: at(60.5), quiesced: false, point: true },
    { name: "gone", seq: 5, time: at(-15), quiesced: false, point: false },
  ],
  snapshots: [{ seq: 20, time: at(20) }, { seq: 21 }],
  drills: [
    { seq: 70, time: at(70), outcome: "failed", command: "fsck", why: "status 1", point: true },
    { seq: 71, time: at(70.2), outcome: "proven", command: "fsck", point: false },
  ],
  events: [],
  damaged: [],
  cut: false,
};

const shape = timelineShape(report, span, 1000);

test("ranges are strips, the higher the closer their points; one without points says so", () => {
  expect(shape.strips.map(({ kind, left, width, height }) => [kind, left, width, height])).toEqual([
    ["level-folded", 0, 200, 0.4],
    ["level-aggregate", 200, 200, 0.66],
    ["no-points", 400, 100, 1],
    ["level-write", 500, 500, 1],
  ]);
  expect(shape.strips[2]?.words).toMatch(/gap/);
});

test("what is behind the newest is told apart, and what is before the oldest", () => {
  expect([shape.beginX, shape.endX]).toEqual([undefined, 900]);
  expect(timelineShape(report, { ...span, fromMs: Date.parse(at(-110)) }, 210).beginX).toBe(100);
  expect(timelineShape({ ...report, ranges: report.ranges.slice(0, 1) }, span, 1000).beginX).toBe(1000);
});

test("of a volume that has no point yet none is the newest, whatever has come of its group", () => {
  const newest = { seq: 9, time: at(3) };
  const [points] = report.ranges.filter(({ kind }) => kind === "points");
  const copied = { ...(points as (typeof report.ranges)[number]), kind: "first-copy" };
  expect(newestPointSeq({ newest, ranges: [copied] })).toBeUndefined();
  expect(newestPointSeq({ newest: null, ranges: [] })).toBeUndefined();
  expect(newestPointSeq({ newest, ranges: report.ranges })).toBe(9);
});

test("marks have their names where there is room; of two upon each other there is the newer one", () => {
  expect(shape.marks.map(({ seq, x, label }) => [seq, x, label])).toEqual([
    [30, 300, "before"],
    [61, 605, "b"],
  ]);
  const narrow = timelineShape({ ...report, marks: report.marks.slice(0, 2) }, span, 60);
  expect(narrow.marks.map(({ label }) => label)).toEqual([undefined, undefined]);
});

test("names that stand towards each other leave each other as much room as bold letters take", () => {
  const mark = (name: string, seconds: number) => ({
    name,
    seq: seconds,
    time: at(seconds),
    quiesced: true,
    point: true,
  });
  const marks = [mark("before-upgrade", 75), mark("nightly", 94)];
  const shown = timelineShape({ ...report, marks }, span, 890).marks;
  expect(shown.map(({ label, isLabelBefore }) => [label, isLabelBefore])).toEqual([
    ["before-upgrade", true],
    ["nightly", true],
  ]);
});

test("a failed test hides behind no proven one", () => {
  expect(shape.tests.map(({ kind, seq }) => [kind, seq])).toEqual([["failed", 70]]);
});

test("a snapshot that is damaged has no place", () => {
  expect(shape.snapshots.map(({ point }) => point)).toEqual(["snap:20"]);
});

test("who points near a pin means it", () => {
  expect(pinNear(shape.marks, 303, 7)?.point).toBe("mark:before");
  expect(pinNear(shape.marks, 340, 7)).toBeUndefined();
});

test("a moment is in the range that began last before it", () => {
  expect(rangeAt(report, Date.parse(at(45)))?.kind).toBe("resync");
  expect(rangeAt(report, Date.parse(at(-100)))).toBeUndefined();
  expect(oldestMs(report)).toBe(Date.parse(at(-10)));
});

test("each kind of range has its words", () => {
  expect(report.ranges.map(rangeInWords)).toEqual([
    "no points yet: the volume has just joined",
    "one point in 60s",
    "every aggregate is a point",
    "a gap: regions were journaled anew",
    "every write is a point",
  ]);
});
