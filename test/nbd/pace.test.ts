import { expect, test } from "vitest";
import { paceProbeEvery, paceSlowMs, paceSlowSeriesMax } from "#src/core/nbd-limits.ts";
import { Pace } from "#src/nbd/pace.ts";

function slowed(): Pace {
  const pace = new Pace();
  for (let count = 0; count < paceSlowSeriesMax; count++) {
    expect(pace.mayWriteNow()).toBe(true);
    pace.tookMs(paceSlowMs);
  }
  return pace;
}

test("fast writes are made at once for as long as they are fast", () => {
  const pace = new Pace();
  for (let count = 0; count < 1000; count++) {
    expect(pace.mayWriteNow()).toBe(true);
    pace.tookMs(paceSlowMs / 2);
  }
});

test("a slow write now and then changes nothing", () => {
  const pace = new Pace();
  for (let count = 0; count < 1000; count++) {
    expect(pace.mayWriteNow()).toBe(true);
    pace.tookMs(count % paceSlowSeriesMax === 0 ? 1000 : 0);
  }
});

test("after a series of slow ones others do the writing, but for a probe now and then", () => {
  const pace = slowed();
  const atOnce = Array.from({ length: 3 * paceProbeEvery }, () => {
    const mayWriteNow = pace.mayWriteNow();
    if (mayWriteNow) pace.tookMs(paceSlowMs);
    return mayWriteNow;
  });
  expect(atOnce.filter(Boolean)).toHaveLength(3);
});

test("a probe that was fast brings all back to writing at once", () => {
  const pace = slowed();
  while (!pace.mayWriteNow());
  pace.tookMs(0);
  for (let count = 0; count < 2 * paceProbeEvery; count++) expect(pace.mayWriteNow()).toBe(true);
});
