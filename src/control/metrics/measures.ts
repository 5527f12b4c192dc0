/** What a side counts for the metrics alone, and tells with its facts. Plain data; all that is counted is since the start. */
import type { DurationFigures } from "#src/core/duration-counts.ts";
import type { WorkKind } from "../store-work.ts";

/** Of a volume that is open. */
export interface VolumeMeasures {
  readonly name: string;
  /** Read from the source to complete blocks that the host wrote in part, and to copy it into the order. */
  readonly edgeBytes: number;
  readonly copyBytes: number;
  readonly failedReads: number;
  readonly failedWrites: number;
  readonly failedFlushes: number;
  readonly writeDurations: DurationFigures;
  readonly flushDurations: DurationFigures;
}

/** The last recovery test of a volume. */
export interface LastDrill {
  readonly volume: string;
  readonly group: string;
  readonly groupId: string;
  /** Of the volume, within its group. */
  readonly number: number;
  readonly isProven: boolean;
  readonly endedMs: number;
}

/** The last long work of its kind that is over. */
export interface LastJob {
  readonly kind: WorkKind;
  /** It was done, and has found nothing that a person must see. */
  readonly isGood: boolean;
  readonly endedMs: number;
}

export interface SideMeasures {
  readonly volumes?: readonly VolumeMeasures[];
  readonly drills?: readonly LastDrill[];
  readonly jobs?: readonly LastJob[];
}
