import { expect, test } from "vitest";
import { type PathCase, pathCases } from "./path-cases.ts";
import {
  compareBy,
  comparisonsOf,
  contenderFigures,
  type PathTurn,
  sustainedFigures,
  volumeCountFigures,
} from "./path-results.ts";

function turn(iops: number, latencyUs = 100): PathTurn {
  const latencies = { latencyP50Us: latencyUs, latencyP99Us: 2 * latencyUs, latencyP999Us: 3 * latencyUs };
  return { iops, ioCount: iops * 2, cpuSeconds: 0.5, settleSeconds: iops / 1e5, memoryPeakBytes: iops, ...latencies };
}

const figures = (name: string, ...rates: number[]) =>
  contenderFigures(
    name,
    rates.map((rate) => turn(rate)),
  );
const slow = (name: string, ...latencies: number[]) =>
  contenderFigures(
    name,
    latencies.map((latency) => turn(1000, latency)),
  );

test("a contender's time to settle is a median, its memory the most of any turn", () => {
  const { settleSecondsMedian, memoryPeakBytes } = figures("a", 100_000, 300_000, 200_000);
  expect(settleSecondsMedian).toBe(2);
  expect(memoryPeakBytes).toBe(300_000);
});

test("a rate has to reach its goal, and nothing is rounded up to it", () => {
  expect(compareBy("rate", figures("a", 120), figures("b", 100), 1.2)).toMatchObject({ ratio: 1.2, met: true });
  expect(compareBy("rate", figures("a", 11_999), figures("b", 10_000), 1.2)).toMatchObject({ ratio: 1.19, met: false });
});

test("a latency has to stay below its goal, and nothing is rounded down to it", () => {
  const half = { bound: "at most", ratio: 0.5, met: true };
  expect(compareBy("p50 latency", slow("a", 50), slow("b", 100), 0.5)).toMatchObject(half);
  const more = compareBy("p99.9 latency", slow("a", 30.1), slow("b", 10), 3);
  expect(more).toMatchObject({ ratio: 3.01, met: false });
});

test("without a goal there is nothing to meet", () => {
  expect(compareBy("rate", figures("a", 1), figures("b", 2), null)).toMatchObject({
    ratio: 0.5,
    goal: null,
    met: null,
  });
});

test("a case is compared with those that were measured, by the goal of its place", () => {
  const one = pathCases[0] as PathCase;
  const contenders = [figures("tidemark async", 75), figures("tidemark sync", 50), figures("nbdkit", 100)];
  const rates = (place: "tmpfs" | "disk") =>
    comparisonsOf(one, place, contenders).filter(({ measure }) => measure === "rate");
  expect(rates("tmpfs")).toMatchObject([{ against: "nbdkit", ratio: 0.75, goal: 0.6, met: true }]);
  expect(rates("disk")).toMatchObject([{ against: "nbdkit", ratio: 0.75, goal: 0.9, met: false }]);
});

test("a long write is held against what the disk allows after amplification", () => {
  const round = (own: number, amplification: number) => ({
    diskBytesPerSecond: 900,
    unprotectedBytesPerSecond: 850,
    protectedBytesPerSecond: own,
    amplification,
  });
  const load = { bytes: 1, blockBytes: 1, goal: 0.9 };
  expect(sustainedFigures(load, [round(290, 3), round(1, 3), round(300, 3)])).toMatchObject({ share: 0.96, met: true });
  expect(sustainedFigures(load, [round(269, 3)])).toMatchObject({ share: 0.89, met: false });
});

test("many volumes are held against one", () => {
  const counts = [
    { volumes: 1, groups: 1, figures: figures("1", 1000, 1000) },
    { volumes: 64, groups: 4, figures: figures("64", 800, 900) },
  ];
  expect(volumeCountFigures(0.9, counts)).toMatchObject([
    { volumes: 1, ratio: 1, met: true },
    { volumes: 64, groups: 4, ratio: 0.85, ratioLowest: 0.8, ratioHighest: 0.9, met: false },
  ]);
});
