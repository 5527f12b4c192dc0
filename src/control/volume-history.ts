/** The history of a volume, as operators ask for it and see it: where it has points, and what lies between. Plain data. */
import { recordTimeText } from "#src/core/record-time.ts";
import type { Granularity, VolumeTimeline } from "#src/synth/volume-timeline.ts";
import type { Drill, DrillOutcome } from "./drill.ts";

export interface HistoryWish {
  readonly volume: string;
  /** Points in words; undefined: from the beginning, or to the end. */
  readonly from?: string;
  readonly to?: string;
}

export interface HistoryRange {
  /** `points`: there are some. Otherwise why not: `resync`, `first-copy`, `joined`. */
  readonly kind: string;
  /** How close points are: `every-write`, `aggregate`, or a number of seconds with an `s`. */
  readonly granularity?: Granularity;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly from: string;
  readonly to: string;
}

export interface HistoryMark {
  readonly name: string;
  readonly seq: number;
  readonly time: string;
  readonly quiesced: boolean;
  /** Whether the volume has a point there. */
  readonly point: boolean;
}

/** What the last drill at a point came to. */
export interface HistoryDrill {
  readonly seq: number;
  readonly time: string;
  readonly outcome: DrillOutcome;
  readonly command: string;
  readonly why?: string;
  /** Whether the volume still has a point there. */
  readonly point: boolean;
}

export interface HistorySnapshot {
  readonly seq: number;
  /** Absent: it is damaged. */
  readonly time?: string;
}

export interface HistoryEvent {
  readonly seq: number;
  readonly time: string;
  readonly type: string;
  readonly says: Readonly<Record<string, unknown>>;
}

export interface DamagedRange {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly finding: string;
}

export interface PointsReport {
  readonly volume: string;
  /** The last record that is durable; null: there is none. */
  readonly newest: { readonly seq: number; readonly time: string } | null;
  readonly ranges: readonly HistoryRange[];
  readonly marks: readonly HistoryMark[];
  readonly snapshots: readonly HistorySnapshot[];
  readonly drills: readonly HistoryDrill[];
  readonly damaged: readonly DamagedRange[];
  /** There is more, of before, than is told at once. */
  readonly cut: boolean;
  /** What else the name stood for before it was removed and added again, as it is asked for. Absent: nothing. */
  readonly earlier?: readonly string[];
}

export interface TimelineReport extends PointsReport {
  readonly events: readonly HistoryEvent[];
}

/** Within a span. `drills`: of the volume there. `still`: the seqs of those that are points as yet. */
export function timelineReport(
  volume: string,
  found: VolumeTimeline,
  drills: readonly Drill[],
  still: ReadonlySet<number>,
): TimelineReport {
  const { newestSeq, newestMicros } = found;
  return {
    volume,
    newest: newestMicros === undefined ? null : { seq: newestSeq, time: recordTimeText(newestMicros) },
    ranges: found.ranges.map(({ fromMicros, toMicros, ...range }) => ({
      ...range,
      from: recordTimeText(fromMicros),
      to: recordTimeText(toMicros),
    })),
    marks: found.marks.map(({ name, seq, timeMicros, isQuiesced, isPoint }) => ({
      ...{ name, seq, time: recordTimeText(timeMicros), quiesced: isQuiesced, point: isPoint },
    })),
    snapshots: found.snapshots.map(({ seq, timeMicros }) => ({
      seq,
      ...(timeMicros === undefined ? {} : { time: recordTimeText(timeMicros) }),
    })),
    drills: lastOfEach(drills).map(({ seq, timeMicros, outcome, command, why }) => ({
      ...{ seq, time: recordTimeText(timeMicros), outcome, command, ...(why === undefined ? {} : { why }) },
      point: still.has(seq),
    })),
    events: found.events.map(({ seq, timeMicros, type, says }) => ({
      seq,
      time: recordTimeText(timeMicros),
      type,
      says,
    })),
    damaged: found.damaged,
    cut: found.isCut,
  };
}

/** Of each point the last one, in the order of the points. */
function lastOfEach(drills: readonly Drill[]): Drill[] {
  return [...new Map(drills.map((drill) => [drill.seq, drill])).values()].sort((a, b) => a.seq - b.seq);
}

/** Without what only a timeline tells. */
export function pointsReport({ events: _, ...report }: TimelineReport): PointsReport {
  return report;
}
