/** Recovery tests of points: what is kept of each, and what operators see. */
import { recordTimeText } from "#src/core/record-time.ts";
import type { NamedPoint } from "./named-point.ts";

export const drillOutcomes = ["proven", "failed"] as const;
export type DrillOutcome = (typeof drillOutcomes)[number];

/** What a drill has for a point where none could be opened. */
export const noPoint = { seq: 0, timeMicros: 0 } as const;

/** `noPoint`: it has failed before there was a view. */
export interface Drill extends NamedPoint {
  /** Given once. */
  readonly id: number;
  readonly outcome: DrillOutcome;
  readonly command: string;
  /** Why it failed. */
  readonly why?: string;
  readonly by: "operator" | "schedule";
  readonly startedMs: number;
  readonly durationMs: number;
}

/** As operators see it. */
export interface DrillReport {
  readonly id: number;
  readonly volume: string;
  readonly group: string;
  /** Absent, as its time is: no point could be opened. */
  readonly seq?: number;
  /** Of the point's record. */
  readonly time?: string;
  readonly outcome: DrillOutcome;
  readonly command: string;
  readonly why?: string;
  readonly by: "operator" | "schedule";
  readonly started: string;
  readonly seconds: number;
  /** Whether there still is a point: what was folded, or let go of, has fewer. Absent: nobody could say it. */
  readonly point?: boolean;
}

/** A volume of which the schedule has nothing to prove yet. */
export interface WaitingDrill {
  readonly volume: string;
  readonly group: string;
  readonly why: string;
}

export interface DrillsReport {
  /** The newest is last. */
  readonly drills: readonly DrillReport[];
  readonly waiting: readonly WaitingDrill[];
}

/** One that could not begin: no view can be opened of the point. */
export interface RefusedDrill {
  readonly volume: string;
  readonly point: string;
  readonly command: string;
}

/** What came of a command on a view that is still open. */
export interface DrillNote {
  /** The view's name. */
  readonly view: string;
  readonly outcome: DrillOutcome;
  readonly command: string;
  readonly why?: string;
  readonly durationMs: number;
}

export function drillReport(drill: Drill, isPoint: boolean | undefined): DrillReport {
  const { id, volumeName, groupName, seq, timeMicros, outcome, command, why, by, startedMs, durationMs } = drill;
  return {
    ...{ id, volume: volumeName, group: groupName },
    ...(seq === noPoint.seq ? {} : { seq, time: recordTimeText(timeMicros) }),
    ...{ outcome, command, ...(why === undefined ? {} : { why }), by },
    started: new Date(startedMs).toISOString(),
    seconds: durationMs / 1000,
    ...(isPoint === undefined || seq === noPoint.seq ? {} : { point: isPoint }),
  };
}

/** Of those that were the last ones of their volumes. */
export function drillTroubles(last: readonly Drill[]): string[] {
  return last
    .filter(({ outcome }) => outcome === "failed")
    .map(
      ({ volumeName, seq, why }) =>
        `the last drill of volume ${volumeName} has failed${seq === noPoint.seq ? "" : ` at seq:${seq}`}: ` +
        (why ?? "it is not said why"),
    );
}
