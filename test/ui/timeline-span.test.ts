import { expect, test } from "vitest";
import { moved, refreshMs, spanOf, zoomed } from "#src/ui/timeline-span.ts";

const now = 1_700_000_000_000;

test("so long back from now, and a little of what is to come", () => {
  expect(spanOf({ seconds: 100, endMs: undefined }, now, undefined)).toEqual({
    fromMs: now - 98_000,
    toMs: now + 2000,
  });
});

test("all is what there is from the oldest point on, and a minute at least", () => {
  const all = spanOf({ seconds: undefined, endMs: undefined }, now, now - 1e6);
  expect(all.fromMs).toBeLessThanOrEqual(now - 0.99e6);
  expect(all.toMs).toBeGreaterThan(now);
  expect(now - spanOf({ seconds: undefined, endMs: undefined }, now, now).fromMs).toBeGreaterThan(50_000);
});

test("one who moves back sees what was before, and coming back to now goes on with it", () => {
  const span = spanOf({ seconds: 100, endMs: undefined }, now, undefined);
  const back = moved(-0.5, span, now);
  expect(back).toEqual({ seconds: 100, endMs: span.toMs - 50_000 });
  expect(moved(0.5, spanOf(back, now, undefined), now).endMs).toBeUndefined();
});

test("what is looked at closer stays where it is seen", () => {
  const span = { fromMs: now - 100_000, toMs: now - 20_000 };
  const about = now - 80_000;
  const closer = spanOf(zoomed(0.5, about, span, now), now, undefined);
  expect((about - closer.fromMs) / (closer.toMs - closer.fromMs)).toBeCloseTo(0.25);
  expect(closer.toMs - closer.fromMs).toBe(40_000);
});

test("a long span is asked for more rarely", () => {
  expect([300, 86_400, 1e7].map((seconds) => refreshMs({ fromMs: 0, toMs: seconds * 1000 }))).toEqual([
    1500, 30_000, 30_000,
  ]);
});
