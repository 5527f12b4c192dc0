import { expect, test } from "vitest";
import { compare, figuresOf, type Turn } from "./nbd-results.ts";

function turn(iops: number): Turn {
  const latencies = { latencyP50Us: 10.04, latencyP99Us: 20, latencyP999Us: 30 };
  return { iops, ioCount: iops * 2, cpuSeconds: 0.5, ...latencies };
}

const figures = (server: string, ...rates: number[]) => figuresOf(server, rates.map(turn), 100);

test("a server's figures are medians over the rounds, with every round beside them", () => {
  const { iopsMedian, iops, latencyP50UsMedian } = figures("a", 100, 300.4, 200);
  expect(iopsMedian).toBe(200);
  expect(iops).toEqual([100, 300, 200]);
  expect(latencyP50UsMedian).toBe(10);
});

test("processor time per request counts all rounds together", () => {
  expect(figures("a", 100_000, 300_000).cpuUsPerIo).toBe(1.25);
});

test("a goal that is reached exactly is met", () => {
  const comparison = compare(figures("a", 120), figures("b", 100), 1.2);
  expect(comparison).toMatchObject({ against: "b", ratio: 1.2, goal: 1.2, met: true });
});

test("nothing is rounded up to its goal", () => {
  const comparison = compare(figures("a", 11_999), figures("b", 10_000), 1.2);
  expect(comparison).toMatchObject({ ratio: 1.19, met: false });
});

test("without a goal there is nothing to meet", () => {
  expect(compare(figures("a", 1), figures("b", 2), undefined)).toMatchObject({ ratio: 0.5, goal: null, met: null });
});

test("the spread is that of the single rounds", () => {
  const comparison = compare(figures("a", 100, 200, 300), figures("b", 100, 100, 100), undefined);
  expect(comparison).toMatchObject({ ratio: 2, ratioLowest: 1, ratioHighest: 3 });
});
