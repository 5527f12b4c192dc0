/** What `npm run sim` runs, once it is known what was asked for. */
import { createProgress } from "#test/bench/progress.ts";
import { FailedRun, runSeed } from "./scenario.ts";
import { describeFailure, describeSummary, type RangeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";

/** A single one, and what happened in it. */
export async function runOne(seed: number, withTrace: boolean): Promise<void> {
  try {
    const outcome = await runSeed(seed);
    if (withTrace) for (const line of outcome.trace) console.log(line);
    console.log({ ...outcome, trace: undefined });
  } catch (error) {
    if (!(error instanceof FailedRun)) throw error;
    if (withTrace) for (const line of error.trace) console.log(line);
    console.error(error.cause);
    process.exitCode = 1;
  }
}

/** A range of them, shared among processes. */
export async function runMany(range: Parameters<typeof runShared>[0], asJson: boolean): Promise<void> {
  const startMs = performance.now();
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => ending.abort());
  const line = createProgress(process.stderr);
  let toldCount = 0;
  const progress = ({ seeds, failures }: RangeSummary): void => {
    line.clear();
    // At once: of a run of hours one wants to know the first that fails before the last has run.
    for (const failure of failures.slice(toldCount)) console.error(describeFailure(failure));
    toldCount = failures.length;
    line.show(`${seeds} of ${range.count} seeds, ${failures.length} failed`);
  };
  const summary = await runShared({ ...range, progress, signal: ending.signal });
  line.clear();
  if (summary.failures.length > 0) process.exitCode = 1;
  if (asJson) {
    console.log(JSON.stringify(summary));
    return;
  }
  console.log(describeSummary(summary));
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${seconds.toFixed(1)} s, ${((seconds * 1000) / summary.seeds).toFixed(1)} ms a seed`);
}
