/** What differs between two points of a volume, as operators ask for it and see it. Plain data, in bytes. */
import { blockBytes } from "#src/core/limits.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { Point } from "#src/synth/point-answer.ts";
import type { PointDifference } from "#src/synth/point-changes.ts";

export interface DifferenceWish {
  readonly volume: string;
  /** Points in words, in either order. */
  readonly first: string;
  readonly second: string;
  readonly fromByte: number;
}

export interface DifferentRange {
  readonly offset: number;
  readonly length: number;
  /** What it is at the later one. */
  readonly kind: "data" | "zeros";
}

export interface DifferencePoint {
  readonly seq: number;
  readonly time: string;
  /** Of the volume. */
  readonly sizeBytes: number;
}

export interface DifferenceReport {
  readonly volume: string;
  readonly from: DifferencePoint;
  readonly to: DifferencePoint;
  readonly ranges: readonly DifferentRange[];
  /** Absent: these are all. */
  readonly next?: number;
}

export function differenceReport(
  volume: string,
  [first, second]: readonly [Point, Point],
  { ranges, nextBlock, firstBytes, secondBytes }: PointDifference,
): DifferenceReport {
  return {
    volume,
    from: pointOf(first, firstBytes),
    to: pointOf(second, secondBytes),
    ranges: ranges.map(({ fromBlock, toBlock, isHole }) => {
      const offset = fromBlock * blockBytes;
      return { offset, length: Math.min(toBlock * blockBytes, secondBytes) - offset, kind: isHole ? "zeros" : "data" };
    }),
    ...(nextBlock === undefined ? {} : { next: nextBlock * blockBytes }),
  };
}

function pointOf({ seq, timeMicros }: Point, sizeBytes: number): DifferencePoint {
  return { seq, time: recordTimeText(timeMicros), sizeBytes };
}
