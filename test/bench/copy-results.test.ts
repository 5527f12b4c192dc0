import { expect, test } from "vitest";
import { initialCopyPlace, resyncCase } from "./copy-results.ts";
import { initialCopyText } from "./path-report-copies.ts";
import { compareRates } from "./rate-comparison.ts";

const about = { place: "disk", dataBytes: 2 ** 32, goal: 0.8 } as const;

test("a copy's speed is held against the peer's, and nothing is rounded up to the goal", () => {
  const own = [{ seconds: 10, cpuSeconds: 8.192, writtenBytes: 2 ** 33 + 1 }];
  const found = initialCopyPlace(about, own, [{ seconds: 8 }]);
  expect(found.comparison).toMatchObject({ ratio: 0.8, met: true });
  expect(found).toMatchObject({ cpuMsPerMebibyte: 2, writtenPerByte: 2.01 });
  expect(initialCopyPlace(about, own, [{ seconds: 7.99 }]).comparison).toMatchObject({ ratio: 0.79, met: false });
});

test("the span of a comparison is that of its rounds", () => {
  const found = compareRates([100, 90, 80], [100, 100, 100], 0.9);
  expect(found).toEqual({ ratio: 0.9, ratioLowest: 0.8, ratioHighest: 1, goal: 0.9, met: true });
});

test("what is copied is told without its holes", () => {
  const place = initialCopyPlace(about, [{ seconds: 8, cpuSeconds: 1, writtenBytes: 1 }], [{ seconds: 4 }]);
  const source = { sourceBytes: 2 ** 33, dataBytes: 2 ** 32, peer: "nbdcopy" };
  const text = initialCopyText({ ...source, places: [place] });
  const [row] = text.split("\n").filter((line) => line.startsWith("| On disk: tidemark"));
  expect(row).toContain("512 MiB/s");
});

test("a resync meets its goal where neither what is read nor what is shipped is more", () => {
  const volume = { title: "t", volumeBytes: 2 ** 30, regionBytes: 2 ** 20, writtenRegions: 10 };
  const counted = (readBytes: number, shippedBytes: number) =>
    resyncCase({ ...volume, readBytes, shippedBytes }, 0.013).met;
  const bytes = 2 ** 30 * 0.013;
  expect([counted(bytes, bytes), counted(bytes * 1.01, bytes), counted(bytes, bytes * 1.01)]).toEqual([
    true,
    false,
    false,
  ]);
});
