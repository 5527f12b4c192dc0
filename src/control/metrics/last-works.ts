/** How the last works have ended that a person may have to look at. */
import type { Drill } from "../drill.ts";
import type { JobReport } from "../job.ts";
import type { WorkKind } from "../store-work.ts";
import type { LastDrill, LastJob } from "./measures.ts";

/** `last`: of each volume. */
export function lastDrills(last: readonly Drill[]): readonly LastDrill[] {
  return last.map(({ volumeName, groupName, group, volume: number, outcome, startedMs, durationMs }) => ({
    ...{ volume: volumeName, group: groupName, groupId: group, number, isProven: outcome === "proven" },
    endedMs: startedMs + durationMs,
  }));
}

/** `jobs`: the newest last. What only said what it would do, or was cancelled, says nothing of how things are. */
export function lastJobs(jobs: readonly JobReport[]): readonly LastJob[] {
  const last = new Map<WorkKind, LastJob>();
  for (const { kind, dryRun, state, ended, result } of jobs) {
    if (dryRun || ended === undefined || (state !== "done" && state !== "failed")) continue;
    last.set(kind, { kind, isGood: state === "done" && result?.isSound !== false, endedMs: Date.parse(ended) });
  }
  return [...last.values()];
}
