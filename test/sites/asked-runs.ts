/** What `npm run sim` runs, once it is known what was asked for. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeCommit } from "#test/bench/machine.ts";
import { createProgress } from "#test/bench/progress.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { withRun } from "./published-run.ts";
import { FailedRun, runSeed } from "./scenario.ts";
import { describeFailure, describeSummary, type RangeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";

const documentPath = join(projectRoot, "docs/simulation.md");

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

interface Telling {
  readonly asJson: boolean;
  /** In docs/simulation.md, too. */
  readonly isPublished: boolean;
}

/** A range of them, shared among processes. */
export async function runMany(range: Parameters<typeof runShared>[0], { asJson, isPublished }: Telling): Promise<void> {
  // What it is now: somebody may go on working meanwhile.
  const commit = await describeCommit();
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
  if (isPublished && summary.seeds < range.count) console.error("not all seeds were run: nothing is published");
  else if (isPublished) {
    const run = { commit, date: new Date().toISOString(), first: range.first, summary };
    writeFileSync(documentPath, withRun(readFileSync(documentPath, "utf8"), run));
  }
  if (asJson) {
    console.log(JSON.stringify(summary));
    return;
  }
  console.log(describeSummary(summary));
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${seconds.toFixed(1)} s, ${((seconds * 1000) / summary.seeds).toFixed(1)} ms a seed`);
}
