/** A restore in words: waiting, under way, over. */
import type { JobReport } from "#src/control/job.ts";
import { listed } from "#src/core/counted.ts";
import { bytesInWords, countInWords, spanInWords } from "./words.ts";

export function isOver({ state }: Pick<JobReport, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** From 0 to 1; 0 also where nobody knows yet. */
export function jobShare({ progress }: Pick<JobReport, "progress">): number {
  if (progress?.total === undefined || progress.total === 0) return 0;
  return Math.min(1, progress.done / progress.total);
}

/** One that is done is well only where all of it could be brought back. */
export function jobHealth({ state, result }: Pick<JobReport, "state" | "result">): "good" | "bad" | "" {
  if (state === "failed" || result?.isSound === false) return "bad";
  return state === "done" ? "good" : "";
}

/** What went wrong while nobody looked is shown for so long. */
const seenForMs = 86_400_000;

/** Somebody who was not there when it ended should know of it. */
export function isToBeSeen(job: Pick<JobReport, "state" | "result" | "ended">, nowMs: number): boolean {
  return jobHealth(job) === "bad" && job.ended !== undefined && nowMs - Date.parse(job.ended) < seenForMs;
}

/** What a person must know of it, as far as there is room. */
export function jobFindings({ result }: Pick<JobReport, "result">): readonly string[] {
  return listed(result?.lines ?? []);
}

export function jobInWords({ id, state, restore, why, progress, result }: JobReport): string {
  const what =
    restore === undefined ? "The work" : `Restoring ${restore.volume} as of seq ${countInWords(restore.seq)}`;
  switch (state) {
    case "waiting":
      return `${what} waits for its turn${why === undefined ? "" : `: ${why}`}.`;
    case "running":
      return `${what}${progress === undefined ? "" : `: ${progressInWords(progress)}`}.`;
    case "done": {
      const where = restore === undefined ? "" : `: ${restore.target}`;
      if (result?.isSound !== false) return `${what} is done${where}.`;
      return `${what} is done, but not all of it is as it was${where} ('tidemark job show ${id}' tells more).`;
    }
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
