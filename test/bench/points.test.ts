import { expect, test } from "vitest";
import { UsageError } from "#src/cli/command.ts";
import { pointsBench } from "./points.ts";
import { pointsCaseNames, pointsOptions } from "./points-options.ts";
import { type PointsResults, peerFigures } from "./points-results.ts";

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
        ...{ name: "1 GiB", changeCount: 1000, baseExtents: 5, baseBytes: 6, medianSeconds: 0.15 },
        ...{ meanSeconds: 0.16, highestSeconds: 0.3, bytesPerChange: 3.5, layers: 4 },
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
  expect(text).toMatch(/in disorder +\| +40 k\/s \| nbdkit file \| 100 k\/s \| 0.4× \(0.3× to 0.5×\) \| +≥ 0.25× met/);
  expect(text).toContain("≥ 50 k/s **missed**");
  expect(text.replaceAll("\n", " ")).toContain("the 9 ranges that differ are told in 0.1 s");
  expect(text).toContain("| 1 GiB  |      0.15 |     0.16 to 0.3 |            3.5 |      4 |");
  expect(text.replaceAll("\n", " ")).toContain("0.001 s in the middle, 0.01 s for all but one of a hundred");
  expect(text.replaceAll("\n", " ")).toContain("opens the first point in 0.7 s (0.8 s of processors), and 3 others");
  expect(text).not.toMatch(/undefined|NaN/);
});
