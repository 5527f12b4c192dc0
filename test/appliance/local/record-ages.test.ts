import { expect, test } from "vitest";
import { RecordAges } from "#src/appliance/local/record-ages.ts";
import { ageSampleCountMax } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";

function startAges(startSeq: number) {
  const time = { wallMs: 1_000_000, monotonicMs: 0 };
  const clock = { wallMs: () => time.wallMs, monotonicMs: () => time.monotonicMs } as Partial<Clock> as Clock;
  return { time, ages: new RecordAges(clock, startSeq) };
}

test("a record is as old as the time that went by since it was added, however idle it was before", () => {
  const { time, ages } = startAges(0);
  time.monotonicMs = 3_600_000;
  ages.added(1);
  time.monotonicMs += 250;
  ages.added(2);
  time.monotonicMs += 1000;
  expect(ages.ageAfterMs(0, 0)).toBe(1250);
  expect(ages.ageAfterMs(1, 0)).toBe(1000);
});

test("fault 28: a clock that jumps, back or forward, makes nothing older or younger", () => {
  const { time, ages } = startAges(5);
  time.monotonicMs = 100;
  ages.added(6);
  time.monotonicMs = 400;
  for (const wallMs of [0, 1_000_000_000]) {
    time.wallMs = wallMs;
    expect(ages.ageAfterMs(2, 990_000_000)).toBe(10_000 + 400);
    expect(ages.ageAfterMs(5, 0)).toBe(300);
  }
});

test("days without a remote need no more memory, and the age stays about right", () => {
  const { time, ages } = startAges(0);
  const count = ageSampleCountMax * 20;
  for (let seq = 1; seq <= count; seq++) {
    time.monotonicMs = seq * 1000;
    ages.added(seq);
  }
  const age = ages.ageAfterMs(count / 2, 0) / 1000;
  expect(age).toBeGreaterThanOrEqual(count / 2 - 1);
  expect(age).toBeLessThan(count / 2 + 64);
});
