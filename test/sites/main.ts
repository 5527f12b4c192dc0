/**
 * `npm run sim -- --seeds N [--first S] [--workers W]` runs many seeds, `npm run sim -- --seed S [--trace]` a single one,
 * `npm run sim -- --breaks` proves that the simulation can fail.
 */
import { parseArgs } from "node:util";
import { runBreaks } from "./breaks/all-breaks.ts";
import { FailedRun, runSeed } from "./scenario.ts";
import { describeFailure, describeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    workers: { type: "string", default: "2" },
    failures: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    breaks: { type: "boolean", default: false },
  },
});

if (values.breaks) process.exitCode = runBreaks(Number(values.workers)) ? 0 : 1;
else if (values.seed === undefined) await runMany();
else await runOne(Number(values.seed));

async function runOne(seed: number): Promise<void> {
  try {
    const outcome = await runSeed(seed);
    if (values.trace) for (const line of outcome.trace) console.log(line);
    console.log({ ...outcome, trace: undefined });
  } catch (error) {
    if (!(error instanceof FailedRun)) throw error;
    if (values.trace) for (const line of error.trace) console.log(line);
    console.error(error.cause);
    process.exitCode = 1;
  }
}

async function runMany(): Promise<void> {
  const startMs = performance.now();
  const summary = await runShared({
    first: Number(values.first),
    count: Number(values.seeds),
    failuresMax: Number(values.failures),
    workers: Number(values.workers),
  });
  if (values.json) {
    console.log(JSON.stringify(summary));
    return;
  }
  console.log(describeSummary(summary));
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${seconds.toFixed(1)} s, ${((seconds * 1000) / summary.seeds).toFixed(1)} ms a seed`);
  for (const failure of summary.failures) console.error(describeFailure(failure));
  if (summary.failures.length > 0) process.exitCode = 1;
}
