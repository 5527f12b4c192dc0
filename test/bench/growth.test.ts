import { expect, test } from "vitest";
import { growthCaseNames, growthOptions } from "./growth-options.ts";
import { formatGrowth } from "./growth-report.ts";
import { type GrowthResults, mergeGrowth, middleOf } from "./growth-results.ts";
import { contenderFigures } from "./path-results.ts";
import type { Provenance } from "./provenance.ts";

const stretch = { iops: 50_000, latencyP50Us: 400, latencyP99Us: 2000, lagSeconds: 0.126 };
const GiB = 2 ** 30;

function runOf(date: string): Provenance {
  return {
    ...{ date, commit: "abc", command: `npm run bench -- growth ${date}`, rounds: 2, secondsPerRound: 3 },
    machine: {
      ...{ processor: "one", processorCount: 2, memoryBytes: 2 ** 33, kernel: "Linux 6", loadAverage: 0.5 },
      programs: { fio: "3" },
    },
  };
}

const journal = {
  pointCount: 3,
  steps: [
    { recordsBehind: 120_000, stretch, openedMs: [20, 30, 10], anonymousBytes: 100 * 2 ** 20 },
    { recordsBehind: 10_000_000, stretch: { ...stretch, iops: 45_000 }, openedMs: [20, 35, 50], anonymousBytes: 1.5 },
  ],
};

const turn = { ioCount: 1, cpuSeconds: 0.00002, settleSeconds: 0.25, memoryPeakBytes: 1 };
const figures = (iops: number) =>
  contenderFigures("one", [{ iops, latencyP50Us: 400, latencyP99Us: 2000, latencyP999Us: 3000, ...turn }]);

const cases: Required<GrowthResults["cases"]> = {
  journal: { run: "a", ...journal },
  size: {
    run: "a",
    steps: [
      { sizeBytes: GiB, figures: figures(60_000), anonymousBytes: 90 * 2 ** 20 },
      { sizeBytes: 16_384 * GiB, figures: figures(30_000), anonymousBytes: 91 * 2 ** 20 },
    ],
  },
  index: {
    ...{ run: "a", sealedBytes: 4 * GiB },
    steps: [
      { fingerprints: 0, indexBytes: 0, bytesPerSecond: [4e8, 2e8], bytesPerCpuSecond: [2e8, 2e8], memoryPeakBytes: 1 },
      { fingerprints: 1e7, indexBytes: GiB, bytesPerSecond: [2e8], bytesPerCpuSecond: [1e8], memoryPeakBytes: GiB },
    ],
  },
  delay: {
    run: "a",
    steps: [
      { delayMs: 10, roundTripMs: 20.46, syncSingle: { ...stretch, iops: 48 }, syncDeep: stretch, async: stretch },
    ],
  },
  bandwidth: {
    ...{ run: "a", delayMs: 20, seconds: 12, askedBytesPerSecond: 32 * 2 ** 20, lagBytesMax: 2 ** 26 },
    steps: [{ megabits: 10, mode: "async", stretch: { ...stretch, iops: 256 }, shippedShare: 1.024 }],
  },
};

const rowWith = (text: string, part: string) => {
  const line = text.split("\n").find((one) => one.startsWith("|") && one.includes(part)) ?? "";
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
};

test("each question has a table, with what grows first and the rate to that of the first", () => {
  const text = formatGrowth({ bench: "growth", runs: [runOf("a")], cases });
  expect(rowWith(text, "45 k/s")).toEqual([
    "10 million",
    "45 k/s",
    "0.9×",
    "0.4 ms",
    "2 ms",
    "35 ms",
    "50 ms",
    "1 MiB",
  ]);
  expect(rowWith(text, "16384 GiB").slice(0, 3)).toEqual(["16384 GiB", "30 k/s", "0.5×"]);
  expect(rowWith(text, "0.67×").slice(1, 5)).toEqual(["200 MB/s", "0.67×", "100 MB/s", "1024 MiB"]);
  expect(rowWith(text, "20.5 ms")).toEqual([
    "10 ms",
    "20.5 ms",
    "48 /s",
    "0.4 ms",
    "50 k/s",
    "0.4 ms",
    "50 k/s",
    "0.4 ms",
    "0.13 s",
  ]);
  expect(rowWith(text, "10 Mbit/s, async")).toEqual([
    "10 Mbit/s, async",
    "1 MiB/s",
    "3 %",
    "1.02×",
    "0.4 ms",
    "2 ms",
    "0.1 s",
  ]);
});

test("of what was not measured nothing is told", () => {
  const text = formatGrowth({ bench: "growth", runs: [runOf("a")], cases: { delay: cases.delay } });
  expect(text).toContain("### The delay of the link");
  expect(text).not.toContain("### The size of the volume");
});

test("a run of some cases takes the place of just these, and each run says what is of it", () => {
  const before: GrowthResults = { bench: "growth", runs: [runOf("a")], cases };
  const now: GrowthResults = { bench: "growth", runs: [runOf("b")], cases: { delay: { ...cases.delay, run: "b" } } };
  const merged = mergeGrowth(before, now);
  expect(merged.runs.map(({ date }) => date)).toEqual(["a", "b"]);
  const text = formatGrowth(merged).replace(/\s+/g, " ");
  expect(text).toContain("Of this run: journal, size, index, bandwidth.");
  expect(text).toContain("Of this run: delay.");
  const all = {
    ...now,
    cases: Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, { ...one, run: "b" }])),
  };
  expect(mergeGrowth(before, all as GrowthResults).runs.map(({ date }) => date)).toEqual(["b"]);
});

test("of several turns the middle counts, and of the lag the most", () => {
  const turns = [stretch, { ...stretch, iops: 10, lagSeconds: 4 }, { ...stretch, iops: 60_000, lagSeconds: 0 }];
  expect(middleOf(turns)).toEqual({ ...stretch, lagSeconds: 4 });
});

test("a whole run is published, one of some cases when it is told to, and one cut short never", () => {
  expect(growthOptions([])).toMatchObject({ cases: growthCaseNames, rounds: 2, isPublished: true });
  expect(growthOptions(["--cases", "delay,size"])).toMatchObject({ cases: ["size", "delay"], isPublished: false });
  expect(growthOptions(["--cases", "delay", "--publish"])).toMatchObject({ isPublished: true });
  expect(growthOptions(["--records", "4"])).toMatchObject({ recordMillions: 4, isPublished: false });
  expect(() => growthOptions(["--seconds", "1", "--publish"])).toThrow("measured in full");
  expect(() => growthOptions(["--cases", "volumes"])).toThrow("--cases takes journal, size, index, delay, bandwidth");
});
