import { expect, test } from "vitest";
import { noSeries, type Sample, seriesPointsMax, withSample, writtenEarlier } from "#src/ui/rates.ts";

const sample = (atMs: number, writes: number): Sample => ({
  ...{ atMs, writes, writeBytes: writes * 4096, readBytes: 0, lagBytes: 0, lagSeconds: 1 },
});

test("a rate is what was counted between two samples", () => {
  const series = [sample(0, 100), sample(2000, 300)].reduce(withSample, noSeries);
  expect(series.points).toMatchObject([
    { atMs: 2000, writesPerSecond: 100, writeBytesPerSecond: 409_600, lagSeconds: 1 },
  ]);
});

test("samples that are too near to each other tell no rate", () => {
  const series = [sample(0, 0), sample(100, 50), sample(1000, 100)].reduce(withSample, noSeries);
  expect(series.points).toMatchObject([{ atMs: 1000, writesPerSecond: 100 }]);
});

test("where the clock was set back it is begun anew, and not waited for until the clock is there again", () => {
  const series = [sample(10_000, 0), sample(11_000, 100), sample(5000, 200)].reduce(withSample, noSeries);
  expect(series.points).toEqual([]);
  expect(withSample(series, sample(6000, 500)).points).toMatchObject([{ atMs: 6000, writesPerSecond: 300 }]);
});

test("a program that was started anew has not written backwards", () => {
  const series = [sample(0, 1000), sample(1000, 10)].reduce(withSample, noSeries);
  expect(series.points).toMatchObject([{ writesPerSecond: 10 }]);
});

test("no more are kept than there is room for", () => {
  const series = Array.from({ length: seriesPointsMax + 20 }, (_, index) => sample(index * 1000, index));
  expect(series.reduce(withSample, noSeries).points).toHaveLength(seriesPointsMax);
});

test("what was written before the page was opened is a rate for each bucket, at its end", () => {
  expect(writtenEarlier({ span: { fromMs: 1000, toMs: 5000 }, bytes: [0, 4096] })).toEqual([
    { atMs: 3000, writeBytesPerSecond: 0 },
    { atMs: 5000, writeBytesPerSecond: 2048 },
  ]);
});
