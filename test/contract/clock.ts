/** What every clock must do. */
import { describe, expect, test } from "vitest";
import type { Clock } from "#src/host/clock.ts";
import type { Driver } from "./driver.ts";

export interface ClockBench {
  readonly clock: Clock;
  readonly driver: Driver;
}

export function describeClockContract(name: string, make: () => ClockBench): void {
  describe(`${name} keeps the contract of clocks`, () => {
    test("monotonic time never goes back", async () => {
      const { clock, driver } = make();
      let before = clock.monotonicMs();
      for (let count = 0; count < 100; count++) {
        const now = clock.monotonicMs();
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
      }
      await driver.quiet();
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before);
    });

    test("the host's time goes on as the monotonic one does", async () => {
      const { clock, driver } = make();
      const [hostMs, monotonicMs] = [clock.hostMs(), clock.monotonicMs()];
      let isOver = false;
      clock.timer(5, () => {
        isOver = true;
      });
      await driver.until(() => isOver);
      expect(clock.monotonicMs() - monotonicMs).toBeGreaterThanOrEqual(5);
      expect(clock.hostMs() - hostMs).toBeGreaterThanOrEqual(5);
    });

    test("wall time is a whole number of milliseconds of our century", () => {
      const wallMs = make().clock.wallMs();
      expect(Number.isInteger(wallMs)).toBe(true);
      expect(new Date(wallMs).getUTCFullYear()).toBeGreaterThanOrEqual(2025);
      expect(new Date(wallMs).getUTCFullYear()).toBeLessThan(2100);
    });

    test("a timer is called once, and never too early", async () => {
      const { clock, driver } = make();
      for (const delayMs of [0, 0.5, 1, 3.2, 10]) {
        let calls = 0;
        const dueMs = clock.monotonicMs() + delayMs;
        let calledMs = 0;
        clock.timer(delayMs, () => {
          calls++;
          calledMs = clock.monotonicMs();
        });
        await driver.until(() => calls > 0);
        await driver.quiet();
        expect(calledMs).toBeGreaterThanOrEqual(dueMs);
        expect(calls).toBe(1);
      }
    });

    test("a timer is not called before the call that set it returns", async () => {
      const { clock, driver } = make();
      const order: string[] = [];
      clock.timer(0, () => order.push("called"));
      order.push("set");
      await driver.until(() => order.length === 2);
      expect(order).toEqual(["set", "called"]);
    });

    test("timers of the same delay are called in the order in which they were set", async () => {
      const { clock, driver } = make();
      const order: number[] = [];
      for (let index = 0; index < 20; index++) clock.timer(2, () => order.push(index));
      await driver.until(() => order.length === 20);
      expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
    });

    test("a much shorter delay is over first", async () => {
      const { clock, driver } = make();
      const order: string[] = [];
      clock.timer(60, () => order.push("long"));
      clock.timer(1, () => order.push("short"));
      await driver.until(() => order.length === 2);
      expect(order).toEqual(["short", "long"]);
    });

    test("a cancelled timer is not called", async () => {
      const { clock, driver } = make();
      let isCalled = false;
      let isOver = false;
      const timer = clock.timer(1, () => {
        isCalled = true;
      });
      timer.cancel();
      timer.cancel();
      clock.timer(10, () => {
        isOver = true;
      });
      await driver.until(() => isOver);
      expect(isCalled).toBe(false);
    });

    test("a timer can cancel another that is due at the same time, and itself", async () => {
      const { clock, driver } = make();
      const called: string[] = [];
      const first = clock.timer(2, () => {
        called.push("first");
        first.cancel();
        second.cancel();
      });
      const second = clock.timer(2, () => called.push("second"));
      let isOver = false;
      clock.timer(20, () => {
        isOver = true;
      });
      await driver.until(() => isOver);
      expect(called).toEqual(["first"]);
    });

    test("a delay beyond what 32 bits can count is not taken for a short one", async () => {
      const { clock, driver } = make();
      let isCalled = false;
      let isOver = false;
      const timer = clock.timer(2 ** 31 + 5, () => {
        isCalled = true;
      });
      clock.timer(20, () => {
        isOver = true;
      });
      await driver.until(() => isOver);
      timer.cancel();
      expect(isCalled).toBe(false);
    });

    test("a delay must be a number from 0 on", () => {
      const { clock } = make();
      for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => clock.timer(delayMs, () => {})).toThrow("a delay is a number of at least 0");
      }
    });

    test("what shall happen soon happens in order, later than the call", async () => {
      const { clock, driver } = make();
      const order: number[] = [];
      for (const index of [1, 2, 3]) clock.soon(() => order.push(index));
      order.push(0);
      await driver.until(() => order.length === 4);
      expect(order).toEqual([0, 1, 2, 3]);
    });

    test("what is asked for inside of a soon happens on a later turn", async () => {
      const { clock, driver } = make();
      const order: string[] = [];
      clock.soon(() => {
        clock.soon(() => order.push("inner"));
        order.push("outer");
      });
      clock.soon(() => order.push("next"));
      await driver.until(() => order.length === 3);
      expect(order).toEqual(["outer", "next", "inner"]);
    });
  });
}
