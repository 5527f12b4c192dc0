import { expect, test } from "vitest";
import {
  copyDelayMsMax,
  copyPieceCountBesideHost,
  copyPieceCountMax,
  copyPressureMax,
  copyPressureMin,
  MiB,
} from "#src/core/limits.ts";
import { CopyPace, copyDelayMs } from "#src/interceptor/copy-pace.ts";

test("the pressure holds it up, more and more, and never for good", () => {
  expect([copyDelayMs(0), copyDelayMs(copyPressureMin)]).toEqual([0, 0]);
  let last = 0;
  for (let pressure = copyPressureMin + 0.05; pressure <= copyPressureMax; pressure += 0.05) {
    expect(copyDelayMs(pressure)).toBeGreaterThan(last);
    last = copyDelayMs(pressure);
  }
  expect(copyDelayMs(2)).toBe(copyDelayMsMax);
});

test("while the host is at work, fewer pieces are under way, and then it rests as long as they took", () => {
  const pace = new CopyPace(Number.POSITIVE_INFINITY, 0, 5);
  expect([pace.pieceCountMax, pace.waitMs(0)]).toEqual([copyPieceCountMax, 0]);
  pace.added(10, 4, 0, 6);
  expect([pace.pieceCountMax, pace.waitMs(10), pace.waitMs(14)]).toEqual([copyPieceCountBesideHost, 4, 0]);
  pace.added(20, 4, 0, 6);
  expect([pace.pieceCountMax, pace.waitMs(20)]).toEqual([copyPieceCountMax, 0]);
});

test("what took long for want of a link, or of room, is not rested for", () => {
  const pace = new CopyPace(Number.POSITIVE_INFINITY, 0, 5);
  pace.added(7_200_000, 7_199_000, 0, 6);
  expect(pace.waitMs(7_200_000)).toBe(copyDelayMsMax);
});

test("its speed is bounded by what it brings", () => {
  const pace = new CopyPace(10 * MiB, 0, 0);
  pace.begun(0, MiB);
  expect([pace.waitMs(0), pace.waitMs(60), pace.waitMs(100)]).toEqual([100, 40, 0]);
});
