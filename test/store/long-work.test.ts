import { expect, test } from "vitest";
import { workRestFactor } from "#src/core/store-limits.ts";
import { LongWork } from "#src/store/long-work.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

function working(bytesPerSecondMax = Number.POSITIVE_INFINITY) {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("remote");
  const others = { areHurried: false };
  const work = new LongWork({ clock, bytesPerSecondMax, isOtherHurried: () => others.areHurried });
  return { work, clock, others, driver: simDriver(simulation.clock) };
}

test("a long work keeps to its rate, whatever the pieces are", async () => {
  const { work, clock, driver } = working(1000);
  const startMs = clock.monotonicMs();
  const goOn = async () => {
    for (const bytes of [10, 2000, 990, 0, 1000, 1000]) await work.pace(bytes);
  };
  await driven(driver, goOn());
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  expect(seconds).toBeGreaterThan(4.7);
  expect(seconds).toBeLessThanOrEqual(5);
  expect(work.pacedBytes).toBe(5000);
});

test("without a rate it waits for nobody while nothing hurries", async () => {
  const { work, clock, driver } = working();
  const startMs = clock.monotonicMs();
  await driven(driver, work.pace(2 ** 40));
  expect(clock.monotonicMs()).toBe(startMs);
});

test("while something is sealed it has a part of the time, and goes on all the same", async () => {
  const { work, clock, others, driver } = working();
  others.areHurried = true;
  const startMs = clock.monotonicMs();
  const goOn = async () => {
    for (let piece = 0; piece < 10; piece++) {
      // The piece itself takes that long.
      await new Promise<void>((resolve) => clock.timer(8, resolve));
      await work.pace(1);
    }
  };
  await driven(driver, goOn());
  expect(clock.monotonicMs() - startMs).toBe(10 * 8 * (1 + workRestFactor));
});

test("who is cancelled while it waits ends at once, and says so whenever it asks", async () => {
  const { work, clock, driver } = working(1);
  const startMs = clock.monotonicMs();
  const pacing = work.pace(1_000_000);
  work.cancel();
  await expect(driven(driver, pacing)).rejects.toThrow(CancelledError);
  expect(clock.monotonicMs()).toBe(startMs);
  expect(() => work.throwIfCancelled()).toThrow(CancelledError);
  await expect(work.pace(1)).rejects.toThrow(CancelledError);
});

test("it remembers how far it told it was", () => {
  const { work } = working();
  expect(work.latest).toBeUndefined();
  const progress = { done: 3, total: 7, unit: "segments", what: "reads directories" } as const;
  work.progress(progress);
  expect(work.latest).toEqual(progress);
});
