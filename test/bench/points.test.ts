import { expect, test } from "vitest";
import { UsageError } from "#src/cli/command.ts";
import { pointsBench } from "./points.ts";
import { pointsCaseNames, pointsOptions } from "./points-options.ts";
import { type PeerFigures, type PointsResults, peerFigures, type SynthesisFigures } from "./points-results.ts";

test("a whole run is what is measured unless told otherwise", () => {
  const { cases, rounds, changeCount, denseGibibytes, isPublished } = pointsOptions([]);
  expect({ cases, rounds, changeCount, denseGibibytes, isPublished }).toEqual({
    ...{ cases: [...pointsCaseNames], rounds: 5, changeCount: 100_000, denseGibibytes: 16, isPublished: false },
  });
  expect(pointsOptions(["--cases", "opening", "--points", "7"])).toMatchObject({ cases: ["opening"], pointCount: 7 });
  for (const wrong of [["--rounds", "0"], ["--cases", "views"], ["more"], ["--dense", "1.5"]]) {
    expect(() => pointsOptions(wrong)).toThrow(UsageError);
  }
});

test("figures are told in a table and in a sentence", () => {
  const results: PointsResults = {
    ...{ date: "2031-05-17T00:00:00.000Z", commit: "abc", command: "npm run bench -- points" },
    machine: { processor: "P", processorCount: 2, kernel: "Linux 6" } as PointsResults["machine"],
    synthesis: [
      {
        ...{ name: "1 GiB", changeCount: 1000, baseExtents: 5, baseBytes: 6, medianSeconds: 0.15, goals: {} },
        ...{ meanSeconds: 0.16, lowestSeconds: 0.1, highestSeconds: 0.3, bytesPerChange: 3.5, layers: 4 },
      },
    ],
    opening: {
      ...{ recordCount: 10, pointCount: 2, medianSeconds: 0.001, p99Seconds: 0.01, highestSeconds: 0.02 },
      ...{ grownMebibytes: 11, differenceSeconds: 0.4, differenceRanges: 99 },
    },
  };
  const unsealed = {
    ...{ recordCount: 20, pointCount: 3, firstSeconds: 0.7, firstProcessorSeconds: 0.8, medianSeconds: 0.02 },
    ...{ p99Seconds: 0.03, highestSeconds: 0.04, processorSeconds: 0.05, grownMebibytes: 12 },
  };
  const series = new Map([
    ["own", [30, 40, 50]],
    ["peer", [100, 100, 100]],
  ] as const);
  const about = { name: "view-random", title: "in disorder", peer: "nbdkit file", unit: "k/s" } as const;
  const reading = [{ ratio: 0.25 }, { own: 50 }, {}].map((goals) => peerFigures({ ...about, goals, series }));
  const difference = { changeCount: 10, rangeCount: 9, piecesSeconds: 0.1, treesSeconds: 0.2 };
  const rates = { recordCount: 1000, recordsLeft: 100, foldedPerSecond: 90, settledPerSecond: 300 };
  const ageing = [{ name: "again and again", ...rates, bytesBefore: 2000, bytesAfter: 500 }];
  const text = pointsBench.format(JSON.stringify({ ...results, unsealed, reading, difference, ageing }));
  expect(text).toMatch(/again and again +\| +90 k\/s +\| +300 k\/s +\| +1000 to 100 +\| +2 to 0.5/);
  expect(text).toMatch(/in disorder +\| +40 k\/s \| nbdkit file \| 100 k\/s \| 0.4× \(0.3× to 0.5×\) \|/);
  expect(text.replaceAll("\n", " ")).toContain("the 9 ranges that differ are told in 0.1 s");
  expect(text).toContain("| 1 GiB  |      0.15 |     0.16 to 0.3 |            3.5 |      4 |");
  expect(text.replaceAll("\n", " ")).toContain("0.001 s in the middle, 0.01 s for all but one of a hundred");
  expect(text.replaceAll("\n", " ")).toContain("opens the first point in 0.7 s (0.8 s of processors), and 3 others");
  expect(text).not.toMatch(/undefined|NaN/);
});

const about = {
  ...{ date: "2031-05-17T00:00:00.000Z", commit: "abc", command: "npm run bench -- points" },
  machine: { processor: "P", processorCount: 2, kernel: "Linux 6" } as PointsResults["machine"],
};

function judgedText(results: Omit<PointsResults, "synthesis" | "opening"> & Partial<PointsResults>): string {
  return pointsBench.format(JSON.stringify({ synthesis: [], ...results }));
}

function rowOf(text: string, begin: string): string[] {
  const row = text.split("\n").find((line) => line.startsWith(`| ${begin}`)) ?? "";
  return row.split("|").map((cell) => cell.trim());
}

test("each goal of a synthesis is judged, and those that were missed stand first", () => {
  const size = (name: string, goals: SynthesisFigures["goals"], ofMedians?: number): SynthesisFigures => ({
    ...{ name, changeCount: 100_000, baseExtents: 5, baseBytes: 6, medianSeconds: 0.501, meanSeconds: 0.5, layers: 4 },
    ...{ lowestSeconds: 0.4, highestSeconds: 0.6, bytesPerChange: 614, goals },
    ...(ofMedians === undefined ? {} : { beside: { name: "1 TiB", ofMedians, lowest: 0.5, highest: 2 } }),
  });
  const synthesis = [
    size("1 TiB", { seconds: 0.5, bytesPercent: 15 }),
    size("1 GiB", { factor: 1.5 }, 0.625),
    size("16 TiB", { factor: 1.5 }, 1.5),
  ];
  const text = judgedText({ ...about, synthesis });
  expect(
    text.startsWith("Goals met: 2 of 4. Missed:\n\n- synthesis, 1 TiB, in the middle: 0.51 s, where ≤ 0.5 s"),
  ).toBe(true);
  expect(text).toContain("- synthesis, 1 GiB, faster than 1 TiB: 1.6×, where ≤ 1.5× is the goal");
  expect(rowOf(text, "synthesis, 1 TiB, of each changed block").slice(2, 5)).toEqual(["15 %", "–", "≤ 15 % met"]);
  expect(rowOf(text, "synthesis, 1 GiB, faster than 1 TiB").slice(2, 5)).toEqual([
    "1.6×",
    "0.5× to 2×",
    "≤ 1.5× **missed**",
  ]);
  expect(rowOf(text, "synthesis, 16 TiB, slower than 1 TiB").slice(2, 5)).toEqual(["1.5×", "0.5× to 2×", "≤ 1.5× met"]);
  expect(text.replaceAll("\n", " ")).toContain(
    "not measured: opening, unsealed, view-random, view-sequential, restore, diff.",
  );
});

test("each goal of opening, of reading and of a difference is judged", () => {
  const opening = {
    ...{ recordCount: 10, pointCount: 2, medianSeconds: 0.2, p99Seconds: 1.001, highestSeconds: 2 },
    ...{ grownMebibytes: 287, differenceSeconds: 0.4, differenceRanges: 99 },
  };
  const unsealed = { ...opening, firstSeconds: 1, firstProcessorSeconds: 1, processorSeconds: 1, grownMebibytes: 286 };
  const read = (goals: PeerFigures["goals"], name = "view-random", unit: PeerFigures["unit"] = "MB/s"): PeerFigures =>
    peerFigures({
      name,
      title: name,
      peer: "peer",
      unit,
      goals,
      series: new Map([
        ["own", [999.96]],
        ["peer", [4000]],
      ]),
    });
  const reading = [read({ ratio: 0.25 }), read({ own: 1000 }, "view-sequential"), read({ ratio: 0.2 }, "restore")];
  const difference = { changeCount: 10, rangeCount: 9, piecesSeconds: 0.5, treesSeconds: 0.501 };
  const text = judgedText({ ...about, opening, unsealed, reading, difference });
  const verdicts = [
    ["opening, in the middle", "0.2 s", "≤ 0.2 s met"],
    ["opening, all but one of a hundred", "1.01 s", "≤ 1 s **missed**"],
    ["opening, memory grown", "301 MB", "≤ 300 MB **missed**"],
    ["opening, nothing sealed, memory grown", "300 MB", "≤ 300 MB met"],
    ["view-random, of peer", "0.24×", "≥ 0.25× **missed**"],
    ["view-sequential, by itself", "999.9 MB/s", "≥ 1000 MB/s **missed**"],
    ["restore, of peer", "0.24×", "≥ 0.2× met"],
    ["difference, by the indexes of pieces", "0.5 s", "≤ 0.5 s met"],
    ["difference, by trees alone", "0.51 s", "≤ 0.5 s **missed**"],
  ] as const;
  for (const [goal, value, told] of verdicts) {
    const row = rowOf(text, goal);
    expect([row[1], row[2], row[4]], goal).toEqual([goal, value, told]);
  }
  expect(text).toContain("Goals met: 5 of 11. Missed:");
  expect(text.replaceAll("\n", " ")).toContain("Goals that were not measured: synthesis.");
});
