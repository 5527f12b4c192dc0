import { expect, test } from "vitest";
import { withRun } from "./published-run.ts";
import { emptySummary } from "./seed-range.ts";

const document = "a\n<!-- seeds: written by `npm run sim -- --publish`, not by hand -->\nold\n<!-- end of seeds -->\nz";
const run = { commit: "abc", date: "2026-01-02T03:04:05.000Z", first: 1001 };
const faults = { "power cut": 5, "full disk": 1200 };
const summary = { ...emptySummary(), seeds: 2000, simulatedMs: 7_200_000, faults };

test("a run is written between its marks, with what was brought about most often first", () => {
  const text = withRun(document, { ...run, summary });
  expect(text).toMatch(/^a\n<!-- seeds.*<!-- end of seeds -->\nz$/s);
  expect(text.replaceAll("\n", " ")).toContain(
    "Seeds 1,001 to 3,000 at commit abc, on 2026-01-02: **none failed**. 2 simulated hours",
  );
  expect(text.split("\n").filter((line) => line.startsWith("| "))).toEqual([
    "| brought about | times |",
    "| ------------- | ----: |",
    "| full disk     | 1,200 |",
    "| power cut     |     5 |",
  ]);
});

test("seeds that failed are named", () => {
  const failures = [7, 9].map((seed) => ({ seed, message: "", stack: "", trace: [] }));
  expect(withRun(document, { ...run, summary: { ...summary, failures } })).toContain("**failed: 7, 9**");
});
