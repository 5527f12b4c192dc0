import { expect, test } from "vitest";
import { formatPathResults } from "./path-report.ts";
import { compareBy, contenderFigures, type PathCaseFigures, volumeCountFigures } from "./path-results.ts";
import type { OfRun, PathResults } from "./path-run.ts";

function figures(name: string, iops: number, latencyUs = 100) {
  const latencies = { latencyP50Us: latencyUs, latencyP99Us: 200, latencyP999Us: 300 };
  const costs = { cpuSeconds: 1, settleSeconds: 0.256, memoryPeakBytes: 1 };
  return contenderFigures(name, [{ iops, ioCount: iops, ...latencies, ...costs }]);
}

const run = "2026-01-02T03:04:05.000Z";

function caseOf(ownRate: number, goal: number | null, blockBytes = 4096): OfRun<PathCaseFigures> {
  const own = figures("tidemark async", ownRate);
  const other = figures("nbdkit", 100_000);
  const comparisons = [compareBy("rate", own, other, goal)];
  return {
    run,
    place: "disk",
    name: "a",
    title: "a write",
    blockBytes,
    fioOptions: [],
    contenders: [own, other],
    comparisons,
  };
}

function report(parts: Partial<PathResults>): string {
  const machine = {
    processor: "Chip",
    processorCount: 2,
    memoryBytes: 2 ** 34,
    kernel: "Linux 6.1",
    loadAverage: 0.25,
  };
  const about = { commit: "abc", command: "npm run bench -- path", rounds: 5, secondsPerRound: 2 };
  return formatPathResults({
    bench: "path",
    runs: [{ ...about, date: run, machine: { ...machine, programs: { node: "26.10.0" } } }],
    places: [
      { name: "tmpfs", fileSystem: "tmpfs", fileBytes: 2 ** 30 },
      { name: "disk", fileSystem: "ext4", fileBytes: 2 ** 30 },
    ],
    cases: [],
    extras: {},
    ...parts,
  });
}

const lineWith = (text: string, part: string) => text.split("\n").find((line) => line.includes(part)) ?? "";
const cells = (line: string) => line.split("|").map((cell) => cell.trim());

test("a goal that is met stands beside its ratio", () => {
  const text = report({ cases: [caseOf(95_000, 0.9)] });
  const row = ["", "a write", "rate, tidemark async", "nbdkit", "0.95×", "0.95× to 0.95×", "≥ 0.9 met", ""];
  expect(cells(lineWith(text, "rate, tidemark"))).toEqual(row);
  expect(text).toContain("Goals met: 1 of 1.");
});

test("a goal that is missed is named before the tables", () => {
  const text = report({ cases: [caseOf(50_000, 0.9)] });
  expect(text).toContain("Goals met: 0 of 1.");
  expect(text).toContain(
    "- On disk, a write: tidemark async has 0.50× the rate of nbdkit, where at least 0.9 is the goal",
  );
  expect(lineWith(text, "rate, tidemark")).toContain("≥ 0.9 **missed**");
});

test("a ratio without a goal is neither met nor missed", () => {
  const text = report({ cases: [caseOf(50_000, null)] });
  expect(cells(lineWith(text, "rate, tidemark")).at(-2)).toBe("–");
  expect(text).toContain("Goals met: 0 of 0.");
});

test("a place without cases has no section", () => {
  expect(report({ cases: [caseOf(1, null)] })).not.toContain("### In memory");
});

test("latencies, processor time and time to settle are told of each", () => {
  const text = report({ cases: [caseOf(50_000, null)] });
  expect(cells(lineWith(text, "On disk: a write"))).toEqual([
    "",
    "On disk: a write",
    "tidemark async",
    "100",
    "200",
    "300",
    "20.0",
    "0.26",
    "",
  ]);
});

test("large blocks are told in bytes per second", () => {
  const text = report({ cases: [caseOf(8000, null, 128 * 1024)] });
  expect(cells(lineWith(text, "| a write"))[2]).toBe("1000 MiB/s");
});

test("a long write is told with its amplification", () => {
  const rates = { diskBytesPerSecond: 2 ** 30, unprotectedBytesPerSecond: 2 ** 30, protectedBytesPerSecond: 2 ** 28 };
  const sustained = { bytes: 2 ** 33, blockBytes: 131_072, rounds: [], amplification: 3.12, share: 0.78, goal: 0.9 };
  const text = report({ extras: { sustained: { run, ...sustained, ...rates, met: false } } });
  expect(cells(lineWith(text, "bytes to the disk for each"))[2]).toBe("3.12");
  expect(text).toContain("- a long write: 0.78× of what the disk allows, where at least 0.9 is the goal");
});

test("memory is told of each process and of all together, rounded up", () => {
  const processes = [
    { name: "local", idleBytes: 50_000_001, peakBytes: 100_000_000 },
    { name: "remote", idleBytes: 40_000_000, peakBytes: 150_000_001 },
  ];
  const load = { title: "link stopped", iops: 1000, lagBytes: 2 ** 30, processes, peakBytes: 250_000_001, met: false };
  const text = report({
    extras: { memory: { run, volumeBytes: 2 ** 40, seconds: 20, goalBytes: 250_000_000, loads: [load] } },
  });
  expect(cells(lineWith(text, "| link stopped"))).toEqual([
    "",
    "link stopped",
    "51 + 40",
    "100 + 151",
    "251 **missed**",
    "1.0 k/s",
    "1024 MiB",
    "",
  ]);
  expect(text).toContain("- link stopped: 251 MB of anonymous memory, where at most 250 MB is the goal");
});

test("one volume is what the others are held against, and no goal of its own", () => {
  const counts = volumeCountFigures(0.9, [
    { volumes: 1, groups: 1, figures: figures("1", 1000) },
    { volumes: 64, groups: 64, figures: figures("64", 800) },
  ]);
  const text = report({ extras: { volumes: { run, connections: 64, totalBytes: 2 ** 29, counts } } });
  expect(text).toContain("Goals met: 0 of 1.");
  expect(text).toContain("- 64 volumes in 64 groups: 0.80× of one, where at least 0.9 is the goal");
  expect(cells(lineWith(text, "| 1 ")).slice(2, 6)).toEqual(["1", "1.0 k/s", "–", "–"]);
});

test("hot spots and a thin link are held against their goals", () => {
  const own = (server: string, iops: number, bytes: number) => ({
    figures: figures(server, iops),
    shippedBytesPerWrite: bytes,
  });
  const hotSpot = {
    run,
    volumeBytes: 2 ** 30,
    seconds: 5,
    contenders: [own("tidemark async", 100_000, 4200), own("tidemark aggregated", 90_000, 700)],
  };
  const thinLink = {
    run,
    megabits: 50,
    delayMs: 20,
    seconds: 60,
    hostBytesPerSecond: 31_250_000,
    writtenBytesPerSecond: 31_200_000,
    lagSecondsOfThirds: [4, 5, 7] as const,
  };
  const text = report({ extras: { "hot-spot": hotSpot, "thin-link": thinLink } });
  expect(text).toContain("Goals met: 2 of 4.");
  expect(lineWith(text, "- hot spots")).toContain("has 0.90× the rate of async, where at least 1 is the goal");
  expect(lineWith(text, "- a thin link")).toContain("the lag grows to 1.40×");
  // As beside the figures of other cases.
  expect(text).toContain("0.17× of the bytes, ≤ 0.2 met; 0.90× of the rate, ≥ 1 **missed**.");
  expect(cells(lineWith(text, "| written, of what")).slice(2, 4)).toEqual(["0.99×", "≥ 0.98 met"]);
  expect(cells(lineWith(text, "| that of the last third")).slice(2, 4)).toEqual(["1.40×", "≤ 1.25 **missed**"]);
});

test("writes beside sealing are told next to those for which it waits, and nothing is asked of them", () => {
  const contenders = [
    { figures: figures("waits for hosts", 50_000), sealedShare: 0.004 },
    { figures: figures("goes on beside them", 40_000), sealedShare: 0.617 },
  ];
  const text = report({ extras: { "beside-sealing": { run, volumeBytes: 2 ** 30, seconds: 10, contenders } } });
  expect(text).toContain("Goals met: 0 of 0.");
  expect(cells(lineWith(text, "| goes on beside them")).slice(1, 5)).toEqual([
    "goes on beside them",
    "40.0 k/s",
    "62 %",
    "100",
  ]);
  expect(text).toContain("The rate beside sealing to that without: 0.80× (0.80× to 0.80×).");
});
