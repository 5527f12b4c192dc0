import { expect, test } from "vitest";
import { TrustedClock } from "#src/synth/trusted-time.ts";

const day = 86_400e6;
const at = (wallMicros: number, monotonicMicros: number) => ({ wallMicros, monotonicMicros });

test("time passes as the monotonic clock of the process says, from the newest record on", () => {
  const clock = new TrustedClock();
  expect(clock.read(at(10 * day, 5), 0, 9 * day)).toEqual({ micros: 9 * day, alarm: undefined });
  expect(clock.read(at(11 * day, 5 + day), 9 * day, 9 * day)).toEqual({ micros: 10 * day, alarm: undefined });
});

test("records that have come say that time has passed, also while nobody was there", () => {
  expect(new TrustedClock().read(at(30 * day, 0), 9 * day, 29 * day).micros).toBe(29 * day);
});

test("fault 28: a clock here that is set ahead makes nothing older", () => {
  const clock = new TrustedClock();
  clock.read(at(10 * day, 0), 0, 10 * day);
  expect(clock.read(at(5000 * day, 60e6), 10 * day, 10 * day)).toEqual({ micros: 10 * day + 60e6, alarm: undefined });
  expect(new TrustedClock().read(at(5000 * day, 0), 10 * day, 10 * day).micros).toBe(10 * day);
});

test("fault 28: records from the future make nothing older than this machine's clock says, and are told", () => {
  const { micros, alarm } = new TrustedClock().read(at(10 * day, 0), 9 * day, 5000 * day);
  expect(micros).toBe(10 * day);
  expect(alarm?.word).toBe("records-ahead");
});

test("fault 28: a clock here that has gone back is told, and time stands still", () => {
  const { micros, alarm } = new TrustedClock().read(at(3 * day, 0), 10 * day, 3 * day);
  expect(micros).toBe(10 * day);
  expect(alarm?.word).toBe("clock-backwards");
});
