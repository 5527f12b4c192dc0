import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import { parsePoint } from "#src/synth/point-words.ts";

const nowMicros = Date.parse("2026-05-06T07:08:09.5Z") * 1000;

test("a point is named by seq, snapshot, mark, time, or how long ago it was", () => {
  expect(parsePoint("now", nowMicros)).toEqual({ by: "now" });
  expect(parsePoint("seq:12", nowMicros)).toEqual({ by: "seq", seq: 12 });
  expect(parsePoint("snap:34", nowMicros)).toEqual({ by: "snapshot", seq: 34 });
  expect(parsePoint("mark:a:b", nowMicros)).toEqual({ by: "mark", name: "a:b" });
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  for (const [unit, length] of Object.entries(seconds)) {
    expect(parsePoint(`-5${unit}`, nowMicros)).toEqual({ by: "time", timeMicros: nowMicros - 5e6 * length });
  }
  expect(parsePoint("-999999999w", nowMicros)).toEqual({ by: "time", timeMicros: 0 });
});

test("a time says where it is, and may be as exact as a record's", () => {
  const micros = (text: string) => Date.parse(text) * 1000;
  const same: [string, number][] = [
    ["2026-05-06", micros("2026-05-06T00:00:00Z")],
    ["2026-05-06T07:08Z", micros("2026-05-06T07:08:00Z")],
    ["2026-05-06T07:08:09Z", micros("2026-05-06T07:08:09Z")],
    ["2026-05-06T07:08:09.123456Z", micros("2026-05-06T07:08:09Z") + 123_456],
    ["2026-05-06T07:08:09.5+02:00", micros("2026-05-06T05:08:09Z") + 500_000],
  ];
  for (const [text, timeMicros] of same) expect(parsePoint(text, nowMicros)).toEqual({ by: "time", timeMicros });
});

test("the time of a record as it is told means that record", () => {
  for (const timeMicros of [
    1_700_000_000_123_456, 1_700_000_000_000_001, 1_700_000_000_999_999, 1_700_000_000_000_000,
  ]) {
    expect(parsePoint(recordTimeText(timeMicros), nowMicros)).toEqual({ by: "time", timeMicros });
  }
});

test("what is none of these is refused, and says what would be", () => {
  const wrong = [
    "",
    "Now",
    "seq:",
    "seq:1.5",
    "seq:99999999999999999",
    "-5",
    "5m",
    "-5y",
    "mark:",
    "2026-13-01",
    "2026-02-30",
  ];
  for (const words of [...wrong, "2026-05-06T07:08:09", "yesterday", "now ", "seq:-1"]) {
    expect(() => parsePoint(words, nowMicros)).toThrow(RefuseError);
    expect(() => parsePoint(words, nowMicros)).toThrow(/a point is now, seq:123/);
  }
});
