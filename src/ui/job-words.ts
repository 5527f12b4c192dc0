/** A restore in words: waiting, under way, over. */
import type { JobReport } from "#src/control/job.ts";
import { bytesInWords, countInWords, spanInWords } from "./words.ts";

export function isOver({ state }: Pick<JobReport, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** From 0 to 1; 0 also where nobody knows yet. */
export function jobShare({ progress }: Pick<JobReport, "progress">): number {
  if (progress?.total === undefined || progress.total === 0) return 0;
  return Math.min(1, progress.done / progress.total);
}

export function jobInWords({ state, restore, why, progress }: JobReport): string {
  const what =
    restore === undefined ? "The work" : `Restoring ${restore.volume} as of seq ${countInWords(restore.seq)}`;
  switch (state) {
    case "waiting":
      return `${what} waits for its turn${why === undefined ? "" : `: ${why}`}.`;
    case "running":
      return `${what}${progress === undefined ? "" : `: ${progressInWords(progress)}`}.`;
    case "done":
      return `${what} is done${restore === undefined ? "" : `: ${restore.target}`}.`;
    case "failed":
      return `${what} has failed: ${why ?? "nobody knows why"}.`;
    case "cancelled":
      return `${what} was cancelled.`;
  }
}

function progressInWords(progress: NonNullable<JobReport["progress"]>): string {
  const rate = progress.bytesPerSecond > 0 ? `, ${bytesInWords(progress.bytesPerSecond)}/s` : "";
  const left = progress.secondsLeft === undefined ? "" : `, ${spanInWords(progress.secondsLeft)} left`;
  return `${progress.what}, ${Math.round(jobShare({ progress }) * 100)} %${rate}${left}`;
}
