import { expect, test } from "vitest";
import { describeClockContract } from "#test/contract/clock.ts";
import { SimClock } from "./sim-clock.ts";
import { simDriver } from "./sim-driver.ts";
import { SimHostClock } from "./sim-host-clock.ts";

describeClockContract("a simulated host's clock", () => {
  const world = new SimClock();
  return { clock: new SimHostClock(world), driver: simDriver(world) };
});

test("events run by their time, whatever the order in which they were set", () => {
  const clock = new SimClock();
  const order: number[] = [];
  const delays = Array.from({ length: 300 }, (_, index) => (index * 7919) % 301);
  for (const delayMs of delays) clock.schedule(delayMs, () => order.push(delayMs));
  clock.runUntilIdle();
  expect(order).toEqual(delays.toSorted((a, b) => a - b));
});

test("time stands still while nobody runs the clock", () => {
  const clock = new SimClock();
  clock.schedule(5, () => {});
  expect(clock.nowMs).toBe(0);
  clock.step();
  expect(clock.nowMs).toBe(5);
  expect(clock.step()).toBe(false);
  expect(clock.nowMs).toBe(5);
});

test("advancing runs what is due and leaves the rest", () => {
  const clock = new SimClock();
  const order: number[] = [];
  for (const delayMs of [1, 10, 10.5]) clock.schedule(delayMs, () => order.push(delayMs));
  clock.advance(10);
  expect([order, clock.nowMs]).toEqual([[1, 10], 10]);
  clock.advance(1);
  expect([order, clock.nowMs]).toEqual([[1, 10, 10.5], 11]);
});

test("what is due while a call blocks runs late, never in between", () => {
  const clock = new SimClock();
  let calledMs = 0;
  clock.schedule(5, () => {
    calledMs = clock.nowMs;
  });
  clock.elapse(100);
  expect(calledMs).toBe(0);
  clock.runUntilIdle();
  expect(calledMs).toBe(100);
});

test("promises go on between two events", async () => {
  const clock = new SimClock();
  const order: string[] = [];
  const first = new Promise<void>((resolve) => {
    clock.schedule(1, resolve);
  });
  clock.schedule(2, () => order.push("second event"));
  void first.then(() => {}).then(() => order.push("after the first event"));
  await clock.settle();
  expect(order).toEqual(["after the first event", "second event"]);
});

test("a simulation that never rests is told from one that does", () => {
  const clock = new SimClock();
  const again = (): void => {
    clock.schedule(1, again);
  };
  again();
  expect(() => clock.runUntilIdle(1000)).toThrow("does not come to rest in 1000 events");
});

test("a jump of the wall clock leaves monotonic time and timers alone", () => {
  const world = new SimClock();
  const clock = new SimHostClock(world);
  const wallMs = clock.wallMs();
  let isCalled = false;
  clock.timer(10, () => {
    isCalled = true;
  });
  clock.jumpWall(-3_600_000);
  expect([clock.wallMs() - wallMs, clock.monotonicMs()]).toEqual([-3_600_000, 0]);
  world.advance(9);
  expect(isCalled).toBe(false);
  world.advance(1);
  expect(isCalled).toBe(true);
});
