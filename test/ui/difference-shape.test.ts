import { expect, test } from "vitest";
import type { DifferenceReport } from "#src/control/difference.ts";
import { bytesIn, differencePath, joined } from "#src/ui/difference-shape.ts";

const point = { seq: 1, time: "", sizeBytes: 1000 };
const answer = (ranges: DifferenceReport["ranges"], next?: number): DifferenceReport => ({
  ...{ volume: "disk", from: point, to: { ...point, sizeBytes: 2000 }, ranges },
  ...(next === undefined ? {} : { next }),
});

test("answers one after the other are one difference", () => {
  const first = joined(undefined, answer([{ offset: 0, length: 100, kind: "data" }], 500));
  expect(first.next).toBe(500);
  const all = joined(first, answer([{ offset: 600, length: 50, kind: "zeros" }]));
  expect([bytesIn(all), all.sizeBytes, all.next]).toEqual([150, 2000, undefined]);
});

const box = { width: 40, height: 100 };

test("what differs is drawn where it lies: a part that differs whole is a whole bar, a quarter of one half a bar", () => {
  const data = (offset: number, length: number) => ({ offset, length, kind: "data" as const });
  const found = { sizeBytes: 1000, ranges: [data(100, 100), data(325, 25), data(990, 10)] };
  expect(differencePath(found, "data", box)).toBe(
    ["M4.0 100V0.0H7.5V100z", "M12.0 100V50.0H15.5V100z", "M36.0 100V68.4H39.5V100z"].join(""),
  );
  expect(differencePath(found, "zeros", box)).toBe("");
});

test("a single block of a large volume is seen", () => {
  const ranges = [{ offset: 0, length: 4096, kind: "zeros" as const }];
  expect(differencePath({ sizeBytes: 2 ** 40, ranges }, "zeros", box)).toBe("M0.0 100V98.0H3.5V100z");
});
