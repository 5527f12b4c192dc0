import { expect, test } from "vitest";
import { TraceCollector } from "#src/cli/trace-collector.ts";
import type { TraceEntry, TraceStep } from "#src/control/role.ts";
import { traceQuietMs } from "#src/core/limits.ts";

function entry(ordinal: number, ...steps: readonly TraceStep[]): TraceEntry {
  const at = Object.fromEntries(steps.map((step, index) => [step, index + 1]));
  return { ordinal, kind: "write", offsetBytes: 0, lengthBytes: 4096, atWallMs: 0, steps: at };
}

const wanted = { count: 2, lastStep: "stored", endsAtMs: 60_000 } as const;

function ordinals(collector: TraceCollector): number[] {
  return collector.entries.map(({ ordinal }) => ordinal);
}

test("what was seen before is not shown", () => {
  const collector = new TraceCollector([entry(4), entry(5)], wanted);
  collector.take([entry(4), entry(5), entry(6)], 0);
  expect(ordinals(collector)).toEqual([6]);
});

test("once as many as were wanted have come to their end, it is over", () => {
  const collector = new TraceCollector([], wanted);
  collector.take([entry(1, "replied"), entry(2, "replied", "stored"), entry(3, "replied")], 0);
  expect([ordinals(collector), collector.isOver(1)]).toEqual([[1, 2], false]);
  collector.take([entry(1, "replied", "stored"), entry(2, "replied", "stored"), entry(3, "replied")], 2);
  expect([ordinals(collector), collector.isOver(2)]).toEqual([[1, 2], true]);
});

test("where the first go by too fast, those are shown whose end was seen", () => {
  const collector = new TraceCollector([], wanted);
  collector.take([entry(1, "replied"), entry(2, "replied")], 0);
  collector.take([entry(8, "stored"), entry(9, "replied")], 0);
  expect([ordinals(collector), collector.isOver(0)]).toEqual([[1, 8], false]);
  collector.take([entry(11, "stored"), entry(12, "stored")], 0);
  expect([ordinals(collector), collector.isOver(0)]).toEqual([[8, 11], true]);
});

test("fewer are enough once it has gone quiet", () => {
  const collector = new TraceCollector([], wanted);
  expect(collector.isOver(traceQuietMs)).toBe(false);
  collector.take([entry(1, "stored")], 5000);
  expect(collector.isOver(5000 + traceQuietMs - 1)).toBe(false);
  expect(collector.isOver(5000 + traceQuietMs)).toBe(true);
});

test("when the time is up it is over, whatever has not come", () => {
  const collector = new TraceCollector([], wanted);
  collector.take([entry(1, "replied")], 0);
  expect([collector.isOver(59_999), collector.isOver(60_000)]).toEqual([false, true]);
});
