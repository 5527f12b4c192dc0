import { expect, test } from "vitest";
import {
  agoInWords,
  countInWords,
  exactTime,
  lagDetailInWords,
  lagInWords,
  rateInWords,
  spanInWords,
} from "#src/ui/words.ts";

test("large numbers are grouped", () => {
  expect([0, 999, 1000, 1_234_567].map(countInWords)).toEqual(["0", "999", "1\u202f000", "1\u202f234\u202f567"]);
});

test("a span is said in the unit that people would use", () => {
  expect([0, 0.04, 0.44, 9.94, 12, 179, 600, 7200, 20_000, 900_000].map(spanInWords)).toEqual([
    "0 s",
    "0 s",
    "0.4 s",
    "9.9 s",
    "12 s",
    "179 s",
    "10 min",
    "120 min",
    "5 h",
    "10 d",
  ]);
});

test("what is no lag is called none", () => {
  const none = { lagRecords: 0, lagBytes: 0, lagSeconds: 0 };
  const some = { lagRecords: 1, lagBytes: 4096, lagSeconds: 2.25 };
  expect([lagInWords(none), lagInWords(some)]).toEqual(["none", "2.3 s"]);
  expect(lagDetailInWords(some)).toBe("1 record, 4.0 KiB");
  expect(lagDetailInWords(none)).toMatch(/all of it/);
});

test("a rate of nothing is idle", () => {
  expect([0, 0.4, 2048, 3 * 2 ** 20].map(rateInWords)).toEqual(["idle", "idle", "2.0 KiB/s", "3.0 MiB/s"]);
});

test("a moment is told exactly, and how long ago it was", () => {
  const ms = new Date(2026, 0, 2, 3, 4, 5, 67).getTime();
  expect(exactTime(ms)).toBe("2026-01-02 03:04:05.067");
  expect([agoInWords(ms, ms + 200), agoInWords(ms, ms + 90_000)]).toEqual(["just now", "90 s ago"]);
});
