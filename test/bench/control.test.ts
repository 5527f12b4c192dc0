import { expect, test } from "vitest";
import { type ControlResults, formatControl } from "./control.ts";
import { controlOptions } from "./control-options.ts";
import { looksOf } from "./control-watcher.ts";

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
  scrapes: { alone: [100, 200, 300], scraped: [99, 197, 310], costPercent: 1.5, looks, processorMs: 2.34 },
  stalled: { healthz: looks, metrics: { ...looks, p99Ms: 101 }, iops: 1000 },
};

test("the figures are told with their goals, and which of them were missed", () => {
  const text = formatControl(results).replace(/\s+/g, " ");
  expect(text).toContain("200 writes a second alone, 197 with a scrape each second");
  expect(text).toContain("That costs 1.5 %; at most 1 % is the goal: **missed**.");
  expect(text).toContain("and 2.4 ms of a processor, all threads together");
  expect(text).toContain("| /healthz | 500 | 2 ms | 40.1 ms | 120 ms | ≤ 100 ms met |");
  expect(text).toContain("≤ 100 ms **missed** |");
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

test("a command line says what is measured", () => {
  expect(controlOptions(["--cases", "scrapes", "--rounds", "2"])).toMatchObject({
    cases: ["scrapes"],
    rounds: 2,
    seconds: 10,
  });
  expect(() => controlOptions(["--cases", "none"])).toThrow();
  expect(() => controlOptions(["more"])).toThrow("control takes no 'more'");
});
