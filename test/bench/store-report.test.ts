import { expect, test } from "vitest";
import { formatStoreResults } from "./store-report.ts";
import { judged, mergeStoreResults, type StoreCaseFigures, type StoreResults } from "./store-results.ts";

const machine = {
  ...{ processor: "Chip", processorCount: 2, memoryBytes: 2 ** 34, kernel: "Linux", loadAverage: 0 },
  programs: {},
};
const ratio = { what: "in, to borg", unit: "×", lowest: 1.8, highest: 2.2, bound: "at least", goal: 2 } as const;

function results(run: string, cases: readonly Pick<StoreCaseFigures, "name" | "goals">[]): StoreResults {
  const about = { commit: `of ${run}`, command: "bench", rounds: 3, date: run, machine };
  const figures = {
    title: "An image",
    about: "What it is.",
    tables: [{ header: ["Who", "MB/s"], rows: [["borg", "7"]] }],
  };
  return { bench: "store", runs: [about], cases: cases.map((one) => ({ run, ...figures, ...one })) };
}

test("a goal is judged by the number that is shown, rounded to the side that is not ours", () => {
  expect(judged({ ...ratio, value: 1.999 })).toMatchObject({ value: 1.99, met: false });
  expect(judged({ ...ratio, value: 2.004 })).toMatchObject({ value: 2, met: true });
  expect(judged({ ...ratio, bound: "at most", goal: 1.1, value: 1.101 })).toMatchObject({ value: 1.11, met: false });
  expect(judged({ ...ratio, bound: "at most", goal: 1.1, value: 1.1 })).toMatchObject({ value: 1.1, met: true });
});

test("the report counts the goals, and names what was missed, and why", () => {
  const missed = judged({ ...ratio, value: 1.9, why: "the disk is slow." });
  const text = formatStoreResults(results("one", [{ name: "image", goals: [missed, judged({ ...ratio, value: 2 })] }]));
  expect(text).toContain("3 counted rounds per case and server.");
  expect(text).toContain("Goals met: 1 of 2. Missed:\n\n- An image: in, to borg, 1.9×, where ≥ 2× is the goal");
  expect(text).toContain("| in, to borg |     1.9× |      1.8× to 2.2× | ≥ 2× **missed** |");
  expect(text).toContain("- in, to borg: the disk is slow.");
  expect(text).toContain("| borg |    7 |");
});

test("what was measured again takes the place of what was there, and the rest stays with its run", () => {
  const before = results("one", [
    { name: "image", goals: [] },
    { name: "reduction", goals: [] },
  ]);
  const merged = mergeStoreResults(before, results("two", [{ name: "image", goals: [] }]));
  expect(merged.cases.map(({ name, run }) => [name, run])).toEqual([
    ["image", "two"],
    ["reduction", "one"],
  ]);
  const text = formatStoreResults(merged);
  expect(text).toContain("Of this run: reduction.");
  expect(text).toContain("Of this run: image.");
  const last = mergeStoreResults(merged, results("three", [{ name: "reduction", goals: [] }]));
  expect(last.runs.map(({ date }) => date)).toEqual(["two", "three"]);
});
