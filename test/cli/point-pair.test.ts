/** Where one point ends and the other begins, as people type both. */
import { expect, test } from "vitest";
import { pointPair } from "#src/cli/point-pair.ts";

function parted(points: string): readonly string[] {
  const { volume, from, to } = pointPair(`disk@${points}`);
  expect(volume).toBe("disk");
  return [from, to];
}

test("two points are parted where both sides are points, though names of marks have dots", () => {
  expect(parted("mark:monday..now")).toEqual(["mark:monday", "now"]);
  expect(parted("mark:a..b..now")).toEqual(["mark:a..b", "now"]);
  expect(parted("now..mark:a..b")).toEqual(["now", "mark:a..b"]);
  expect(parted("mark:a..now..mark:b..seq2")).toEqual(["mark:a..now", "mark:b..seq2"]);
  expect(parted("mark:1.2....mark:..x")).toEqual(["mark:1.2..", "mark:..x"]);
  expect(parted("mark:end....-5m")).toEqual(["mark:end..", "-5m"]);
  expect(parted("seq:1..2026-01-31T12:00:00.5Z")).toEqual(["seq:1", "2026-01-31T12:00:00.5Z"]);
});

test("what is no point is left to be said of the first parting, and what is no pair is refused", () => {
  expect(parted("yesterday..now")).toEqual(["yesterday", "now"]);
  expect(parted("mark:a..b..c")).toEqual(["mark:a", "b..c"]);
  for (const words of ["disk", "disk@now", "disk@now..", "disk@..now", "@now..now"]) {
    expect(() => pointPair(words)).toThrow("two points of a volume");
  }
});
