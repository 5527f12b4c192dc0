/** Rates and series, of counters and figures that come now and then. */
import type { Buckets } from "./density-shape.ts";

export interface Sample {
  readonly atMs: number;
  readonly writeBytes: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
}

/** What was measured between two samples. */
export interface SeriesPoint {
  readonly atMs: number;
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly writesPerSecond: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
}

export type EarlierPoint = Pick<SeriesPoint, "atMs" | "writeBytesPerSecond">;

export interface Series {
  readonly last: Sample | undefined;
  readonly points: readonly SeriesPoint[];
}

export const noSeries: Series = { last: undefined, points: [] };
/** Ten minutes, with one each second. */
export const seriesPointsMax = 600;
/** Samples that are nearer to each other than this tell no rate. */
const shortestMs = 400;

export function withSample(series: Series, sample: Sample): Series {
  const { last, points } = series;
  if (last === undefined) return { last: sample, points };
  const ms = sample.atMs - last.atMs;
  // Somebody has set the clock back: what was measured lies in the future now.
  if (ms < 0) return { last: sample, points: [] };
  if (ms < shortestMs) return series;
  // A program that was started anew counts from the beginning.
  const since = sample.writes < last.writes ? { ...last, writes: 0, writeBytes: 0, readBytes: 0 } : last;
  const perSecond = (now: number, before: number) => Math.max(0, ((now - before) * 1000) / ms);
  const point = {
    atMs: sample.atMs,
    writeBytesPerSecond: perSecond(sample.writeBytes, since.writeBytes),
    readBytesPerSecond: perSecond(sample.readBytes, since.readBytes),
    writesPerSecond: perSecond(sample.writes, since.writes),
    lagBytes: sample.lagBytes,
    lagSeconds: sample.lagSeconds,
  };
  return { last: sample, points: [...points, point].slice(-seriesPointsMax) };
}

/** What was written before the page was opened, of how densely that was; how far the remote was behind nobody has kept. */
export function writtenEarlier({ span, bytes }: Pick<Buckets, "span" | "bytes">): EarlierPoint[] {
  const bucketMs = (span.toMs - span.fromMs) / bytes.length;
  return bytes.map((count, index) => ({
    atMs: span.fromMs + (index + 1) * bucketMs,
    writeBytesPerSecond: (count * 1000) / bucketMs,
  }));
}
