import { expect, test } from "vitest";
import { bandwidthHours } from "#src/control/bandwidth-setting.ts";
import { notUnderstood } from "#src/control/setting.ts";
import { bandwidthHoursMax, GiB, KiB, MiB } from "#src/core/limits.ts";

const setting = bandwidthHours("a limit", { min: 64 * KiB, max: GiB });

test.each([
  ["none", []],
  ["08:00-18:00 2M", [{ fromMinute: 480, toMinute: 1080, bytesPerSecond: 2 * MiB }]],
  [
    "22:30-06:00 off,06:00-08:15 64K",
    [
      { fromMinute: 1350, toMinute: 360, bytesPerSecond: Number.POSITIVE_INFINITY },
      { fromMinute: 360, toMinute: 495, bytesPerSecond: 64 * KiB },
    ],
  ],
  ["18:00-24:00 1M", [{ fromMinute: 1080, toMinute: 0, bytesPerSecond: MiB }]],
])("%s is understood, and printed so that it is again", (text, hours) => {
  const found = setting.parse(text, "/");
  expect(found).toEqual(hours);
  expect(setting.parse(setting.print(hours), "/")).toEqual(hours);
});

test.each([
  "",
  "8:00-18:00 2M",
  "08:00-18:00",
  "08:00 2M",
  "08:00-18:60 2M",
  "08:00-25:00 2M",
  "08:00-18:00 1K",
  "08:00-18:00 2T",
  "08:00-18:00 much",
  "08:00-18:00 2M;",
  "08:00-18:00 2M,,",
  Array.from({ length: bandwidthHoursMax + 1 }, () => "08:00-18:00 2M").join(","),
])("'%s' is not understood", (text) => {
  expect(setting.parse(text, "/")).toBe(notUnderstood);
});
