import { expect, test } from "vitest";
import { momentInWords, movedByKey, seqBefore } from "#src/ui/scrubber.ts";

const span = { fromMs: 1000, toMs: 3000 };
const stops = [500, 1200, 1800, 2600];
const by = (key: string, atMs = 2000) => movedByKey(key, atMs, span, stops);

test("arrows move it a little, pages further, and ends to the ends", () => {
  expect(["ArrowLeft", "ArrowRight", "PageDown", "PageUp", "Home", "End"].map((key) => by(key))).toEqual([
    1990, 2010, 1800, 2200, 1000, 3000,
  ]);
});

test("it does not leave the span", () => {
  expect([by("ArrowLeft", 1001), by("PageUp", 2990)]).toEqual([1000, 3000]);
});

test("brackets jump from pin to pin, and stay where there is none", () => {
  expect([by("["), by("]"), by("[", 1200), by("]", 2600)]).toEqual([1800, 2600, 1200, 2600]);
});

test("other keys are not its own", () => {
  expect([by("a"), by("Tab"), by("Enter")]).toEqual([undefined, undefined, undefined]);
});

test("the record is the last that the picture knows of", () => {
  const buckets = { span, bytes: [], writes: [], lastSeqs: [0, 7, 0, 12] };
  expect([1100, 1600, 2400, 2999, 9999].map((ms) => seqBefore(buckets, ms))).toEqual([undefined, 7, 7, 12, 12]);
});

test("who does not see the picture hears time, distance, record and name", () => {
  const ms = new Date(2026, 0, 2, 3, 4, 5).getTime();
  expect(momentInWords(ms, ms + 5000, 1234, "mark noon")).toBe(
    "2026-01-02 03:04:05, 5.0 s before now, about record 1\u202f234, mark noon",
  );
  expect(momentInWords(ms, ms, undefined, undefined)).toBe("2026-01-02 03:04:05, now");
});
