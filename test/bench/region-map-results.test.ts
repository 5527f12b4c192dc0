import { expect, test } from "vitest";
import { regionMapGoals, regionMapText } from "./path-report-region-map.ts";
import { mapRates, warmRegionsFigures } from "./region-map-results.ts";

const turn = (iops: number) => ({ iops, ioCount: 1000, latencyP50Us: 1, latencyP999Us: 2, cpuSeconds: iops / 1e6 });

test("the rate with the map is held against that without, by the medians of their rounds", () => {
  const about = { volumeBytes: 2 ** 30, seconds: 1, goal: 0.97 };
  const own = [97, 200, 50].map(turn);
  const other = [100, 100, 100].map(turn);
  const warm = warmRegionsFigures(about, own, other);
  expect(warm.comparison).toMatchObject({ ratio: 0.97, ratioLowest: 0.5, ratioHighest: 2, met: true });
  const cold = {
    volumeBytes: 2 ** 40,
    regionBytes: 2 ** 24,
    writes: 100,
    loads: [{ depth: 1, with: mapRates([turn(10)]), without: mapRates([turn(40)]) }],
  };
  expect(regionMapGoals({ warm, cold })).toMatchObject([{ met: true }]);
  const [row] = regionMapText({ warm, cold })
    .split("\n")
    .filter((line) => line.startsWith("| cold"));
  expect(row?.split("|").map((cell) => cell.trim())).toEqual([
    "",
    "cold, depth 1, with the map",
    "0.01 k/s",
    "0.25×",
    "1",
    "2",
    "0.0",
    "",
  ]);
});
