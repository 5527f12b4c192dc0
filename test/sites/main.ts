/** `npm run sim`: many seeds, a single one, or the proof that the simulation can fail. */
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { createProgress } from "#test/bench/progress.ts";
import { runBreaks } from "./breaks/all-breaks.ts";
import { FailedRun, runSeed } from "./scenario.ts";
import { describeFailure, describeSummary, type RangeSummary } from "./seed-range.ts";
import { runShared } from "./seed-workers.ts";

const help = `Usage: npm run sim -- [--seeds N] [--first S] [OPTION ...]
       npm run sim -- --seed S [--trace]
       npm run sim -- --breaks

Simulates both sites, with power cuts, cut links, and disks that fail or are full, all of it from one seed, against an
oracle that knows what was promised. A seed that fails does so again, step by step the same. Interrupted, it ends with
the seeds under way, and tells of those that were run.

  --seeds N     how many (1000), beginning with --first S (1)
  --workers W   processes that share the work (2)
  --failures F  ends early after so many seeds have failed (1)
  --json        the sum as JSON
  --seed S      a single one; with --trace all that happened in it
  --breaks      breaks the program in each known way, and writes into docs/simulation.md which seeds find it
  --help        this text

Example:
  npm run sim -- --seeds 200
  npm run sim -- --seed 7 --trace
`;

const seedMax = 2 ** 32 - 1;

async function run(programArguments: readonly string[]): Promise<void> {
  if (programArguments.includes("--help") || programArguments.includes("-h")) return void process.stdout.write(help);
  const { values, positionals } = parseCommandLine(programArguments, {
    seeds: { type: "string", default: "1000" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    workers: { type: "string", default: "2" },
    failures: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    breaks: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new UsageError(`sim takes no '${positionals[0]}'; --help lists the options`);
  const number = (name: "seeds" | "first" | "workers" | "failures", max: number): number =>
    wholeNumber(values[name], `--${name}`, { min: 1, max });
  const workers = number("workers", 256);
  if (values.breaks) process.exitCode = (await runBreaks(workers)) ? 0 : 1;
  else if (values.seed !== undefined) {
    await runOne(wholeNumber(values.seed, "--seed", { min: 0, max: seedMax }), values.trace);
  } else {
    const [first, count, failuresMax] = [
      number("first", seedMax),
      number("seeds", seedMax),
      number("failures", seedMax),
    ];
    await runMany({ first, count, failuresMax, workers }, values.json);
  }
}

async function runOne(seed: number, withTrace: boolean): Promise<void> {
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

async function runMany(range: Parameters<typeof runShared>[0], asJson: boolean): Promise<void> {
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

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`sim: ${error.message}\n`);
  process.exitCode = 2;
}
