import { expect, test, vi } from "vitest";
import { patience } from "#test/patience.ts";
import { type ControlResults, formatControl } from "./control.ts";
import { controlOptions } from "./control-options.ts";
import { costOf, type ScrapeCost } from "./control-scrapes.ts";
import { type Looks, looksOf, Watcher } from "./control-watcher.ts";

const looks = { count: 500, p50Ms: 2, p99Ms: 40.01, highestMs: 120 };

const results: ControlResults = {
  ...{
    date: "2031-05-17T00:00:00.000Z",
    commit: "abc",
    command: "npm run bench -- control",
    rounds: 3,
    secondsPerRound: 5,
  },
  machine: {
    ...{ processor: "one", processorCount: 2, memoryBytes: 2 ** 33, kernel: "Linux 6", loadAverage: 0.5 },
    programs: { fio: "3" },
  },
  scrapes: {
    ...{ alone: [100, 200, 300], scraped: [99, 197, 310], looks, processorMs: 2.34 },
    costPercent: { count: 10, mean: 1.5, from: 1.2, to: 1.8 },
  },
  stalled: { healthz: looks, metrics: { ...looks, p99Ms: 101 }, iops: 1000 },
};

test("the figures are told with their goals, and which of them were missed", () => {
  const text = formatControl(results).replace(/\s+/g, " ");
  expect(text).toContain("200 writes a second alone, 197 with a scrape each second");
  expect(text).toContain("That costs 1.5 (1.2 to 1.8) %; at most 1 % is the goal: **missed**.");
  expect(text).toContain("and 2.4 ms of a processor, all threads together, which is 0.12 % of what");
  expect(text).toContain("by that the goal is met.");
  expect(text).toContain("| /healthz | 500 | 2 ms | 40.1 ms | 120 ms | ≤ 100 ms met |");
  expect(text).toContain("≤ 100 ms **missed** |");
});

test("a goal that lies within what the figures scatter by is neither met nor missed", () => {
  const { scrapes, stalled: _, ...rest } = results;
  const verdict = (from: number, to: number, count = 10) =>
    formatControl({ ...rest, scrapes: { ...(scrapes as ScrapeCost), costPercent: { count, mean: 0.5, from, to } } });
  expect(verdict(0.2, 0.8)).toContain("met");
  expect(verdict(0.2, 0.8, 9)).toContain("**not told**");
  expect(verdict(-0.5, 1.5).replace(/\s+/g, " ")).toContain("**not told** by so few seconds");
});

test("what drifts from turn to turn is no cost, and what is lost within each is", () => {
  const second = (isScraped: boolean, rate: number) => ({ isScraped, rate });
  const turn = (rate: number, lost: number) => [
    ...[second(false, rate), second(true, rate * (1 - lost)), second(true, rate * (1 - lost)), second(false, rate)],
  ];
  const { mean, from, to } = costOf([...turn(100, 0.02), ...turn(50, 0.04), ...turn(200, 0.03)]);
  expect(mean).toBeCloseTo(3);
  expect([from, to].map((one) => Math.round(one * 100))).toEqual([185, 415]);
});

test("looks that had to wait for the one before are late too, and that the watcher himself is late is not counted", async () => {
  let nowMs = 0;
  let looks = 0;
  let ended: Promise<Looks> | undefined;
  // Who waits is woken a little late, the first look takes long, and the others do not.
  const time = {
    nowMs: () => nowMs,
    wait: async (ms: number) => {
      nowMs += ms + 7;
    },
  };
  const watcher: Watcher = new Watcher(
    async () => {
      nowMs += looks++ === 0 ? 100 : 1;
      if (nowMs > 180) ended ??= watcher.end();
    },
    20,
    time,
  );
  await vi.waitFor(() => expect(ended).toBeDefined(), patience);
  // Counted from 0, 20, 40, 60, 80 and 100, where the sixth was over at 105; and then each when it was asked.
  expect(await ended).toEqual({ count: 9, p50Ms: 24, p99Ms: 100, highestMs: 100 });
});

test("what was not measured is not told", () => {
  const { scrapes: _, stalled: __, ...rest } = results;
  expect(formatControl(rest)).toMatch(/^`npm run bench -- control` on 2031-05-17/);
});

test("the rank of a look is that of the one which so many took no longer than", () => {
  expect(looksOf([3, 1, 2])).toEqual({ count: 3, p50Ms: 2, p99Ms: 3, highestMs: 3 });
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(looksOf(hundred)).toEqual({ count: 100, p50Ms: 50, p99Ms: 99, highestMs: 100 });
});

test("too few seconds to tell anything are refused at once, with how many there must be", () => {
  const least = (line: readonly string[]) => () => controlOptions(line);
  expect(least(["--rounds", "1", "--seconds", "7"])).toThrow("with --rounds 1 --seconds has to be at least 8");
  expect(least(["--rounds", "2", "--seconds", "3"])).toThrow("with --rounds 2 --seconds has to be at least 4");
  expect(least(["--rounds", "1", "--seconds", "8"])).not.toThrow();
  expect(least(["--cases", "stalled-disk", "--seconds", "1"])).not.toThrow();
});

test("a command line says what is measured", () => {
  expect(controlOptions(["--cases", "scrapes", "--rounds", "2"])).toMatchObject({
    cases: ["scrapes"],
    rounds: 2,
    seconds: 32,
  });
  expect(() => controlOptions(["--cases", "none"])).toThrow();
  expect(() => controlOptions(["more"])).toThrow("control takes no 'more'");
});
