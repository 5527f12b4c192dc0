import { expect, test } from "vitest";
import { throttleChangeMsMax, throttleDelayMsMax, throttlePressureMin } from "#src/core/limits.ts";
import { Throttle, throttleDelayMs } from "#src/interceptor/throttle.ts";

test("the delay begins at nothing and grows all the way, without a step", () => {
  expect(throttleDelayMs(0)).toBe(0);
  expect(throttleDelayMs(throttlePressureMin)).toBe(0);
  let before = 0;
  for (let pressure = throttlePressureMin + 0.001; pressure < 0.99; pressure += 0.001) {
    const delay = throttleDelayMs(pressure);
    expect(delay).toBeGreaterThan(before);
    expect(delay - before).toBeLessThan(6);
    before = delay;
  }
  expect(throttleDelayMs(1)).toBe(throttleDelayMsMax);
  expect(throttleDelayMs(7)).toBe(throttleDelayMsMax);
});

/** How many writes of this size pass in a second whose clock ticks coarsely. */
function passedInSecond(pressure: number, byteLength: number): number {
  const throttle = new Throttle();
  let count = 0;
  for (let nowMs = 0; nowMs < 1000; nowMs += 2) {
    while (count < 1_000_000 && throttle.waitMs(nowMs) === 0) {
      throttle.passed(nowMs, pressure, byteLength);
      count++;
      if (throttleDelayMs(pressure) === 0) break;
    }
  }
  return count;
}

test("writers run at the pace that the delay says, however coarse the timers are", () => {
  for (const pressure of [0.6, 0.75, 0.9]) {
    const wanted = 1000 / throttleDelayMs(pressure);
    expect(passedInSecond(pressure, 4096) / wanted).toBeGreaterThan(0.95);
    expect(passedInSecond(pressure, 4096) / wanted).toBeLessThan(1.05);
  }
});

test("long writes count as several, but none waits for ever", () => {
  expect(passedInSecond(0.75, 4096) / passedInSecond(0.75, 256 * 1024)).toBeCloseTo(4, 0);
  const throttle = new Throttle();
  throttle.passed(0, 0.999, 2 ** 40);
  expect(throttle.waitMs(0)).toBeLessThanOrEqual(throttleChangeMsMax);
});
