import { expect, test } from "vitest";
import { ageingPolicy, levelsOfAge } from "#src/control/ageing-setting.ts";
import { notUnderstood } from "#src/control/setting.ts";

const setting = levelsOfAge([], "levels");

test.each([
  ["none", []],
  ["24h 1m", [{ ageSeconds: 86_400, levelSeconds: 60 }]],
  [
    "10s 1s,1d  1m, 7d 1h",
    [
      { ageSeconds: 10, levelSeconds: 1 },
      { ageSeconds: 86_400, levelSeconds: 60 },
      { ageSeconds: 604_800, levelSeconds: 3600 },
    ],
  ],
])("%s is understood, and printed so that it is again", (text, levels) => {
  expect(setting.parse(text, "/")).toEqual(levels);
  expect(setting.parse(setting.print(levels), "/")).toEqual(levels);
});

test.each([
  "",
  "24h",
  "24h 1m 1h",
  "24h 0s",
  "24h 1m 7d 1h",
  "7d 1h, 24h 1m",
  "1d 1m, 7d 90s",
  "1d 1m, 7d 1m",
  "1d 400d",
])("'%s' is refused", (text) => expect(setting.parse(text, "/")).toBe(notUnderstood));

test("nine steps are too many", () => {
  const steps = Array.from({ length: 9 }, (_, index) => `${index + 1}d ${2 ** index}m`);
  expect(setting.parse(steps.join(","), "/")).toBe(notUnderstood);
  expect(setting.parse(steps.slice(1).join(","), "/")).toHaveLength(8);
});

test("what a setting says is what history is folded by", () => {
  const levels = [{ ageSeconds: 10, levelSeconds: 1 }];
  const retention = { levels, marksSeconds: 5, quiescedMarksSeconds: Number.POSITIVE_INFINITY };
  expect(ageingPolicy({ store: { retention } })).toEqual({
    steps: [{ afterMicros: 10_000_000, level: 1 }],
    marks: { otherMicros: 5_000_000, quiescedMicros: Number.POSITIVE_INFINITY },
  });
});
