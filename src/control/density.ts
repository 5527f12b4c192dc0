/** How densely a volume was written to, and what a point in words stands for, as whoever draws a history asks for it. Plain data. */
import { RefuseError } from "#src/core/errors.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { GroupPoints } from "#src/synth/group-points.ts";
import type { WriteDensity } from "#src/synth/write-density.ts";
import type { ResolvedPoint } from "./view-points.ts";

export interface DensityWish {
  readonly volume: string;
  /** Points in words; `to` undefined: up to now. */
  readonly from: string;
  readonly to?: string;
  readonly bucketCount: number;
}

export interface DensityReport {
  readonly volume: string;
  readonly from: string;
  readonly to: string;
  readonly bucketSeconds: number;
  /** Of each bucket: writes, trims and zeroings, their bytes, and the last record of the volume in it; 0: there was none. */
  readonly writes: readonly number[];
  readonly bytes: readonly number[];
  readonly lastSeqs: readonly number[];
  /** There are too many records to look at: the numbers are in proportion to some of them. */
  readonly estimated: boolean;
}

export interface PointWish {
  readonly volume: string;
  readonly point: string;
  /** What is no point stands for the last one before it. */
  readonly isNearest: boolean;
}

export interface PointReport {
  readonly volume: string;
  readonly seq: number;
  readonly time: string;
  /** Where it was asked for, or found, as a mark or a snapshot. */
  readonly mark?: string;
  readonly snapshot: boolean;
  /** What else is to be said of it, for people. */
  readonly note?: string;
}

/** `nowMicros` stands for what is not told. */
export async function findDensity(
  points: GroupPoints,
  volume: number,
  { from, to, bucketCount }: Omit<DensityWish, "volume">,
  nowMicros: number,
): Promise<WriteDensity> {
  const fromMicros = (await points.timeOf(volume, from)) ?? nowMicros;
  const toMicros = (await points.timeOf(volume, to)) ?? nowMicros;
  if (toMicros <= fromMicros) throw new RefuseError("'to' must be later than 'from'");
  return points.density(volume, { fromMicros, toMicros, bucketCount });
}

export function densityReport(volume: string, found: WriteDensity): DensityReport {
  const { fromMicros, toMicros, bucketCount, writes, bytes, lastSeqs, isEstimated } = found;
  return {
    volume,
    from: recordTimeText(fromMicros),
    to: recordTimeText(toMicros),
    bucketSeconds: (toMicros - fromMicros) / bucketCount / 1e6,
    ...{ writes, bytes, lastSeqs },
    estimated: isEstimated,
  };
}

export function pointReport(volume: string, { point, note }: Pick<ResolvedPoint, "point" | "note">): PointReport {
  const { seq, timeMicros, mark, isSnapshot = false } = point;
  return {
    ...{ volume, seq, time: recordTimeText(timeMicros), ...(mark === undefined ? {} : { mark }), snapshot: isSnapshot },
    ...(note === undefined ? {} : { note }),
  };
}
