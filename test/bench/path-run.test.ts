import { expect, test } from "vitest";
import type { ExtraFigures } from "./path-extras.ts";
import { formatPathResults } from "./path-report.ts";
import type { PathCaseFigures } from "./path-results.ts";
import { mergeResults, type OfRun, type PathResults, partsOf } from "./path-run.ts";

const machine = { processor: "Chip", processorCount: 2, memoryBytes: 2 ** 34, kernel: "Linux", loadAverage: 0 };
const memory: ExtraFigures["memory"] = { volumeBytes: 2 ** 40, seconds: 1, goalBytes: 1, loads: [] };

function results(run: string, cases: readonly [string, "tmpfs" | "disk"][], parts: Partial<PathResults> = {}) {
  const about = { commit: `of ${run}`, command: "bench", rounds: 1, secondsPerRound: 1 };
  const figures = { title: "t", blockBytes: 4096, fioOptions: [], contenders: [], comparisons: [] };
  return {
    bench: "path",
    runs: [{ ...about, date: run, machine: { ...machine, programs: {} } }],
    places: [...new Set(cases.map(([, name]) => name))].map((name) => ({ name, fileSystem: run, fileBytes: 1 })),
    cases: cases.map(([name, place]): OfRun<PathCaseFigures> => ({ run, name, place, ...figures })),
    extras: {},
    ...parts,
  } satisfies PathResults;
}

test("what was measured again takes the place of what was there, and the rest stays with its run", () => {
  const before = results("one", [
    ["random-write", "tmpfs"],
    ["random-write", "disk"],
  ]);
  const merged = mergeResults(before, results("two", [["random-write", "disk"]], { extras: {} }));
  expect(partsOf(merged, "one")).toEqual(["random-write (tmpfs)"]);
  expect(partsOf(merged, "two")).toEqual(["random-write (disk)"]);
  expect(merged.places.map(({ fileSystem }) => fileSystem)).toEqual(["one", "two"]);
  expect(merged.runs.map(({ date }) => date)).toEqual(["one", "two"]);
});

test("a run of which nothing is left is forgotten", () => {
  const before = results("one", [["single-write", "tmpfs"]], { extras: { memory: { run: "one", ...memory } } });
  const later = mergeResults(before, results("two", [["single-write", "tmpfs"]]));
  expect(later.runs.map(({ date }) => date)).toEqual(["one", "two"]);
  const last = mergeResults(later, results("three", [], { extras: { memory: { run: "three", ...memory } } }));
  expect(last.runs.map(({ date }) => date)).toEqual(["two", "three"]);
});

test("where all is of one run nothing more is said; where it is not, each run says what is of it", () => {
  const one = results("one", [["single-write", "tmpfs"]]);
  expect(formatPathResults({ ...one, places: [], cases: [] })).not.toContain("Of this run");
  const both = mergeResults(one, results("two", [], { extras: { memory: { run: "two", ...memory } } }));
  const text = formatPathResults({ ...both, places: [] });
  expect(text).toContain("commit of one");
  expect(text).toContain("Of this run: single-write (tmpfs).");
  expect(text).toContain("Of this run: memory.");
});
