import { expect, test } from "vitest";
import { bucketsBetween, MetricsText, percentileSeconds } from "./steady-metrics.ts";

const text = `# HELP tidemark_writes_total Writes.
# TYPE tidemark_writes_total counter
tidemark_writes_total{volume="a",group="g"} 7
tidemark_writes_total{volume="b",group="g"} 5
tidemark_store_physical_bytes 1.5e+3
tidemark_moved_total{why="seal"} 3
tidemark_moved_total{why="copy"} 4
tidemark_wait_seconds_bucket{le="0.1",volume="a"} 2
tidemark_wait_seconds_bucket{le="1",volume="a"} 6
tidemark_wait_seconds_bucket{le="+Inf",volume="a"} 7
tidemark_wait_seconds_sum{volume="a"} 9
process_cpu_seconds_total 3
`;

test("what is told by labels is summed, and what is not told is not nothing", () => {
  const metrics = new MetricsText(text);
  expect(metrics.sum("writes_total")).toBe(12);
  expect(metrics.sum("moved_total", 'why="seal"')).toBe(3);
  expect(metrics.sum("store_physical_bytes")).toBe(1500);
  expect(metrics.sum("lag_seconds")).toBeUndefined();
});

test("the buckets of a histogram are what lies between its bounds, and between two looks at it", () => {
  const buckets = new MetricsText(text).buckets("wait_seconds");
  expect(buckets).toEqual({ boundsSeconds: [0.1, 1], counts: [2, 4, 1] });
  const later = { ...buckets, counts: [2, 9, 1] };
  expect(bucketsBetween(buckets, later).counts).toEqual([0, 5, 0]);
});

test("a percentile lies within its bucket as far as its rank does", () => {
  const buckets = { boundsSeconds: [1, 2, 4], counts: [10, 0, 10, 0] };
  expect(percentileSeconds(buckets, 0.25)).toBe(0.5);
  expect(percentileSeconds(buckets, 0.75)).toBe(3);
  expect(percentileSeconds(buckets, 1)).toBe(4);
});

test("beyond all bounds nothing is known but the last of them, and of nothing nothing at all", () => {
  expect(percentileSeconds({ boundsSeconds: [1, 2], counts: [0, 0, 3] }, 0.5)).toBe(2);
  expect(percentileSeconds({ boundsSeconds: [1, 2], counts: [0, 0, 0] }, 0.5)).toBeUndefined();
});
