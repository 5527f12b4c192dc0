/** A long work as operators see it: asked for, waiting, under way, and what came of it. Plain data. */
import { recordTimeText } from "#src/core/record-time.ts";
import type { RestoreRequest } from "./restore.ts";
import type { WorkKind, WorkRequest, WorkResult } from "./store-work.ts";

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled";

export interface Job {
  readonly id: number;
  readonly request: WorkRequest;
  /** Nobody has asked for it: its time had come. */
  readonly isOfSchedule: boolean;
  readonly state: JobState;
  readonly madeMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  /** Of one under way: somebody has cancelled it then, and it ends where that is safe. */
  readonly cancelledMs?: number;
  /** Why it failed, or why it waits although it was begun. */
  readonly why?: string;
  readonly result?: WorkResult;
}

/** As it is published: times as texts, and how far it is while it is under way. */
export interface JobReport {
  readonly id: number;
  readonly kind: WorkKind;
  readonly dryRun: boolean;
  readonly restore?: {
    readonly id: string;
    readonly volume: string;
    /** The view whose content it is. */
    readonly view?: string;
    readonly seq: number;
    /** Of the point's record. */
    readonly time?: string;
    /** What else is to be said of the point. */
    readonly note?: string;
    readonly target: string;
  };
  readonly by: "operator" | "schedule";
  readonly state: JobState;
  readonly made: string;
  readonly started?: string;
  readonly ended?: string;
  readonly why?: string;
  readonly progress?: JobProgress;
  readonly result?: WorkResult;
}

export interface JobProgress {
  readonly what: string;
  readonly done: number;
  /** Absent: nobody knows yet. */
  readonly total?: number;
  readonly unit: string;
  /** Read and written since it was begun. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft?: number;
}

export function reportOf(job: Job, progress?: JobProgress): JobReport {
  const { id, request, state, madeMs, startedMs, endedMs, why, result } = job;
  return {
    id,
    kind: request.kind,
    dryRun: request.isDry,
    ...(request.restore === undefined ? {} : { restore: whatOf(request.restore) }),
    by: job.isOfSchedule ? "schedule" : "operator",
    state,
    made: timeOf(madeMs),
    ...(startedMs === undefined ? {} : { started: timeOf(startedMs) }),
    ...(endedMs === undefined ? {} : { ended: timeOf(endedMs) }),
    ...(why === undefined ? {} : { why }),
    ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result }),
  };
}

function whatOf({ id, volume, view, seq, timeMicros, note, target }: RestoreRequest): JobReport["restore"] & object {
  return {
    ...{ id, volume, ...(view === undefined ? {} : { view: view.name }), seq, time: recordTimeText(timeMicros) },
    ...(note === undefined ? {} : { note }),
    target,
  };
}

export function isOpenJob({ state }: Job): boolean {
  return state === "waiting" || state === "running";
}

/** Of the restores the last one to each target, of jobs of which the newest is last: what an earlier one has noted is of before it. */
export function lastOfTargets(jobs: readonly Job[]): Map<string, Job> {
  return new Map(jobs.flatMap((job) => (job.request.restore === undefined ? [] : [[job.request.restore.target, job]])));
}

function timeOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** Of those that are over, the last of each kind: what a person must see, in words. */
export function jobTroubles(jobs: readonly JobReport[]): string[] {
  const last = new Map<WorkKind, JobReport>();
  for (const job of jobs) {
    // What came of a restore is for whoever asked for it.
    const isOver = (job.state === "done" || job.state === "failed") && job.kind !== "restore";
    if (isOver && !job.dryRun) last.set(job.kind, job);
  }
  return [...last.values()].flatMap(({ id, kind, state, why, result }) => {
    const more = `'tidemark job show ${id}' tells more`;
    if (state === "failed") return [`the last ${kind} of the store has failed: ${why ?? ""} (${more})`];
    return result?.isSound === false ? [`the last ${kind} of the store has found what must be looked at: ${more}`] : [];
  });
}
