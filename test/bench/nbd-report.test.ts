import { expect, test } from "vitest";
import type { CrowdFigures } from "./crowd.ts";
import { formatNbdResults } from "./nbd-report.ts";
import { type CaseFigures, compare, figuresOf, type NbdResults, type ServerFigures } from "./nbd-results.ts";

function figures(server: string, iops: number, memoryPeakBytes = 90_000_000): ServerFigures {
  const latencies = { latencyP50Us: 100.4, latencyP99Us: 200, latencyP999Us: 300 };
  return figuresOf(server, [{ iops, ioCount: iops, cpuSeconds: 1, ...latencies }], memoryPeakBytes);
}

function caseOf(own: ServerFigures, other: ServerFigures, goal?: number, blockBytes = 4096): CaseFigures {
  const comparisons = [compare(own, other, goal)];
  const servers = [own, other];
  return { place: "tmpfs", name: "a", title: "random write", blockBytes, fioOptions: [], servers, comparisons };
}

function crowdOf(memoryPeakBytes: number): CrowdFigures {
  const asked = { connections: 1000, unfetchedBytes: 2 ** 30, unfinishedBytes: 2 ** 29 };
  return { ...asked, memoryIdleBytes: 90_000_000, memoryPeakReadsBytes: 100_000_001, memoryPeakBytes };
}

function report(...cases: CaseFigures[]): string {
  return reportWith(null, cases);
}

function reportWith(crowd: CrowdFigures | null, cases: readonly CaseFigures[]): string {
  const programs = { node: "26.10.0", fio: "3.33" };
  const chip = { processor: "Chip", processorCount: 2, memoryBytes: 2 ** 34, kernel: "Linux 6.1" };
  const results: NbdResults = {
    bench: "nbd",
    date: "2026-01-02T03:04:05.000Z",
    commit: "abc",
    command: "npm run bench -- nbd",
    machine: { ...chip, loadAverage: 0.25, programs },
    rounds: 7,
    secondsPerRound: 2,
    memoryPeakBytesGoal: 150_000_000,
    places: [{ name: "tmpfs", fileSystem: "tmpfs", fileBytes: 2 ** 30 }],
    cases,
    crowd,
  };
  return formatNbdResults(results);
}

const lineWith = (text: string, part: string) => text.split("\n").find((line) => line.includes(part)) ?? "";
const cells = (line: string) => line.split("|").map((cell) => cell.trim());

test("a goal that is met stands beside its ratio", () => {
  const text = report(caseOf(figures("tidemark", 150_000), figures("nbdkit", 100_000), 1.2));
  const row = ["", "random write", "150.0 k/s", "100.0 k/s", "1.50× (1.50× to 1.50×)", "≥ 1.2 met", ""];
  expect(cells(lineWith(text, "| random write"))).toEqual(row);
  expect(text).toContain("Goals met: 2 of 2.");
});

test("a goal that is missed is named before the tables", () => {
  const text = report(caseOf(figures("tidemark", 110_000), figures("nbdkit", 100_000), 1.2));
  expect(text).toContain("Goals met: 1 of 2.");
  expect(text).toContain("- In memory, random write: 1.10× of nbdkit, where 1.2 is the goal");
  expect(lineWith(text, "| random write")).toContain("≥ 1.2 **missed**");
});

test("a ratio without a goal is neither met nor missed", () => {
  const text = report(caseOf(figures("tidemark", 1000), figures("nbdkit", 100_000)));
  expect(cells(lineWith(text, "| random write")).at(-2)).toBe("–");
  expect(text).toContain("Goals met: 1 of 1.");
});

test("our memory counts as a goal, and that of the others does not", () => {
  const light = report(caseOf(figures("tidemark", 1000), figures("nbdkit", 1000, 900_000_000)));
  const heavy = report(caseOf(figures("tidemark", 1000, 150_000_000), figures("nbdkit", 1000)));
  expect(light).toContain("Goals met: 1 of 1.");
  expect(heavy).toContain("- under fio: 150 MB of memory, where less than 150 MB is the goal");
});

test("the memory for many connections is a goal too", () => {
  expect(reportWith(crowdOf(149_000_000), [])).toContain("Goals met: 1 of 1.");
  const heavy = reportWith(crowdOf(400_000_000), []);
  expect(heavy).toContain("- 1000 connections: 400 MB of memory, where less than 150 MB is the goal");
});

test("the crowd's memory is told step by step, rounded up", () => {
  const text = reportWith(crowdOf(149_000_000), []);
  expect(cells(lineWith(text, "idle"))[2]).toBe("90");
  expect(cells(lineWith(text, "1024 MiB of reads"))[2]).toBe("101");
  expect(cells(lineWith(text, "512 MiB of writes"))[2]).toBe("149");
});

test("large blocks are told in bytes per second", () => {
  const text = report(caseOf(figures("tidemark", 8000), figures("nbdkit", 4000), 1, 128 * 1024));
  expect(cells(lineWith(text, "| random write")).slice(2, 4)).toEqual(["1000 MiB/s", "500 MiB/s"]);
});

test("latencies, processor time and memory are told of each server", () => {
  const text = report(caseOf(figures("tidemark", 100_000), figures("nbdkit", 50_000)));
  const row = ["", "In memory: random write", "nbdkit", "100", "200", "300", "20.0", "90", ""];
  expect(cells(text.split("\n").at(-1) ?? "")).toEqual(row);
});

test("the run says where its figures come from", () => {
  const text = report(caseOf(figures("tidemark", 1000), figures("nbdkit", 1000)));
  expect(text).toContain("`npm run bench -- nbd` on 2026-01-02, commit abc:");
  expect(text).toContain(
    "Chip, 2 processors, 16 GiB of memory, Linux 6.1;\nnode 26.10.0, fio 3.33.\nLoad average before the run: 0.25.",
  );
});
