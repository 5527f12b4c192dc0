import { expect, test } from "vitest";
import { DensityBuckets } from "#src/synth/write-density.ts";

const span = { fromMicros: 1000, toMicros: 2000, bucketCount: 10 };
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);

test("a write is in the bucket of its time, and what lies outside of the span in none", () => {
  const buckets = new DensityBuckets(span);
  buckets.add(999, 1, 4096);
  buckets.add(1000, 2, 4096);
  buckets.add(1099, 3, 8192);
  buckets.add(1999, 4, 4096);
  buckets.add(2000, 5, 4096);
  const found = buckets.finish();
  expect(found.writes).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(found.bytes[0]).toBe(12_288);
  expect([found.lastSeqs[0], found.lastSeqs[9]]).toEqual([3, 4]);
  expect(found.isEstimated).toBe(false);
});

test("a row of which only the ends are known is spread evenly, and adds up to itself", () => {
  const buckets = new DensityBuckets(span);
  buckets.spread({ fromMicros: 1150, toMicros: 1350, lastSeq: 9, writes: 8, bytes: 8000 });
  const found = buckets.finish();
  expect(found.bytes).toEqual([0, 2000, 4000, 2000, 0, 0, 0, 0, 0, 0]);
  expect(found.writes).toEqual([0, 2, 4, 2, 0, 0, 0, 0, 0, 0]);
  expect(found.lastSeqs[3]).toBe(9);
  expect(found.isEstimated).toBe(true);
});

test("of a row that lies in the span in part that part counts", () => {
  const buckets = new DensityBuckets(span);
  buckets.spread({ fromMicros: 1900, toMicros: 2100, lastSeq: 9, writes: 10, bytes: 1000 });
  buckets.spread({ fromMicros: 500, toMicros: 1500, lastSeq: 5, writes: 10, bytes: 1000 });
  buckets.spread({ fromMicros: 2000, toMicros: 2100, lastSeq: 12, writes: 10, bytes: 1000 });
  const found = buckets.finish();
  expect(sum(found.bytes)).toBe(1000);
  expect(found.lastSeqs).toEqual([0, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
});

test("writes of one moment are one bucket's", () => {
  const buckets = new DensityBuckets(span);
  buckets.spread({ fromMicros: 1250, toMicros: 1250, lastSeq: 9, writes: 10, bytes: 1000 });
  expect(buckets.finish().bytes).toEqual([0, 0, 1000, 0, 0, 0, 0, 0, 0, 0]);
});
