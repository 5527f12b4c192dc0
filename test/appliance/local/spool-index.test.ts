import { expect, test } from "vitest";
import { SpoolIndex } from "#src/appliance/local/spool-index.ts";
import { GiB, KiB, spoolIndexEntryCountMax, spoolIndexRecentCount } from "#src/core/limits.ts";

/** Batches of one record and one size each: record n+1 is at n times the size, at the time n. */
function filled(count: number, batchBytes: number, limitBytes = 64 * GiB): SpoolIndex {
  const index = new SpoolIndex(limitBytes);
  for (let seq = 0; seq < count; seq++) index.add(seq, seq * batchBytes, seq);
  return index;
}

test("the newest batches are found exactly", () => {
  const index = filled(20_000, 8 * KiB);
  for (const seq of [19_999, 19_000, 20_000 - spoolIndexRecentCount]) {
    expect(index.find(seq)).toEqual({ position: seq * 8 * KiB, timeMicros: seq, isExact: true });
  }
});

test("for older ones, one before them is found, at most an index step away", () => {
  const index = filled(20_000, 8 * KiB);
  for (const seq of [0, 1, 31, 32, 5_000, 11_000]) {
    const entry = index.find(seq);
    expect(entry?.isExact).toBe(false);
    expect(seq * 8 * KiB - (entry?.position ?? Number.NaN)).toBeGreaterThanOrEqual(0);
    expect(seq * 8 * KiB - (entry?.position ?? Number.NaN)).toBeLessThan(256 * KiB);
  }
});

test("a record in the gap between two epochs is the first of the later one", () => {
  const index = new SpoolIndex(GiB);
  index.add(0, 512, 1);
  index.add(10, 1024, 2);
  // Epoch 2 begins with record 1000.
  index.add(999, 1536, 3);
  expect([index.find(10)?.position, index.find(500)?.position, index.find(999)?.position]).toEqual([1024, 1024, 1536]);
});

test("nothing is found before the first batch", () => {
  const index = new SpoolIndex(GiB);
  expect(index.find(5)).toBe(undefined);
  index.add(6, 512, 1);
  expect(index.find(5)).toBe(undefined);
});

test("its memory is bounded, however large the spool is, and given back as it is released", () => {
  const limitBytes = 1024 * GiB;
  const batchBytes = 1024 * KiB;
  const index = filled(limitBytes / batchBytes, batchBytes, limitBytes);
  expect(index.entryCount).toBeLessThanOrEqual(spoolIndexEntryCountMax + spoolIndexRecentCount);
  index.release(limitBytes / 2);
  expect(index.entryCount).toBeLessThanOrEqual(spoolIndexEntryCountMax / 2 + spoolIndexRecentCount + 1);
  const entry = index.find(limitBytes / 2 / batchBytes);
  expect(entry?.position).toBeLessThanOrEqual(limitBytes / 2);
  expect(index.find(100)).toBe(undefined);
});
