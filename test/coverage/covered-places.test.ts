/** What counts as covered: small files of which it is plain what was run. */
import { expect, test } from "vitest";
import { coverageTable } from "./coverage-table.ts";
import { coveredPlaces } from "./covered-places.ts";
import { countsOf, RunCounts } from "./run-counts.ts";

/** `text` with what was not run between `«` and `»`, and what was run three times between `{{` and `}}`. */
function places(marked: string) {
  const functions = [{ ranges: [{ startOffset: 0, endOffset: marked.length, count: 1 }] }];
  let text = "";
  const open: { startOffset: number; count: number }[] = [];
  for (const piece of marked.split(/(«|»|\{\{|\}\})/)) {
    if (piece === "«") open.push({ startOffset: text.length, count: 0 });
    else if (piece === "{{") open.push({ startOffset: text.length, count: 3 });
    else if (piece === "»" || piece === "}}") {
      functions.push({ ranges: [{ ...(open.pop() as (typeof open)[0]), endOffset: text.length }] });
    } else text += piece;
  }
  const { lines, branches } = coveredPlaces({ path: "src/a.ts", text }, countsOf({ functions }, text.length));
  const told = (all: typeof lines) => all.map(({ line, isCovered }) => (isCovered ? line : -line));
  return { lines: told(lines), branches: told(branches) };
}

test("a line is covered where one of its statements was run, and types are no statements", () => {
  expect(places("type A = 1;\nconst a = 1;\n« b();\n»if (a) c();")).toEqual({
    lines: [2, -3, 4],
    branches: [4, -4],
  });
});

test("what was not run within what was, and what was run more often, are told apart", () => {
  const { lines } = places("a();\n{{b();\n«c();»\nd();}}\nfunction f() «{\n e(); }»");
  expect(lines).toEqual([1, 2, -3, 4, -6]);
});

test.each([
  ["if (a) «b();»", [-1, 1]],
  ["if (a) b();", [1, -1]],
  ["if (a) b();\nelse «c();»", [1, -2]],
  ["{{if (a) }}b();", [1, 1]],
  ["c = a ? b : «d»;", [1, -1]],
  ["c = a && «b»;", [-1]],
  ["c = a ?? b;", [1]],
  ["switch (a) {\n case 1: «b(); break;»\n case 2:\n default: c();\n}", [-2, 4]],
])("ways that a decision can go: %s", (text, branches) => {
  expect(places(text).branches).toEqual(branches);
});

test("what several processes have run is added, and a file that none has loaded is not covered at all", () => {
  const counts = new RunCounts(
    new Map([
      ["/a.ts", 2],
      ["/b.ts", 1],
    ]),
  );
  const report = (count: number) => ({ functions: [{ ranges: [{ startOffset: 0, endOffset: 1, count }] }] });
  for (const count of [1, 2]) counts.add("/a.ts", report(count));
  counts.add("/c.ts", report(1));
  expect([...counts.of("/a.ts")]).toEqual([3, 0]);
  expect([...counts.of("/b.ts")]).toEqual([0]);
});

test("folders are summed, and files below the goal are named with their lines, what is missed most first", () => {
  const place = (line: number, isCovered: boolean) => ({ line, isCovered });
  const whole = { path: "src/x/a.ts", lines: [place(1, true)], branches: [place(1, true)] };
  const half = { path: "src/x/b.ts", lines: [place(1, true), place(7, false)], branches: [] };
  const none = { path: "src/x/c.ts", lines: [place(3, false)], branches: [place(3, false)] };
  const table = coverageTable(new Map([["src/x", [whole, half, none]]]));
  expect(table[1]).toMatch(/^src\/x +2\/4 +50\.0 +1\/2 +50\.0$/);
  expect(table.slice(-2)).toEqual([
    expect.stringMatching(/^src\/x\/c\.ts +0\/1 +0\.0 +0\/1 +0\.0 +lines 3$/),
    expect.stringMatching(/^src\/x\/b\.ts +1\/2 +50\.0 +0\/0 +100\.0 +lines 7$/),
  ]);
});
