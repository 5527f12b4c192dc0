/** `npm run sim`: many seeds, a single one, or the proof that the simulation can fail. */
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";

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
  --publish     writes the sum into docs/simulation.md
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
    publish: { type: "boolean", default: false },
    breaks: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new UsageError(`sim takes no '${positionals[0]}'; --help lists the options`);
  const number = (name: "seeds" | "first" | "workers" | "failures", max: number): number =>
    wholeNumber(values[name], `--${name}`, { min: 1, max });
  const workers = number("workers", 256);
  const [first, count, failuresMax] = [number("first", seedMax), number("seeds", seedMax), number("failures", seedMax)];
  const seed = values.seed === undefined ? undefined : wholeNumber(values.seed, "--seed", { min: 0, max: seedMax });
  // Each brings all of the program and its worlds: whoever is told of a wrong option need not wait for that.
  if (values.breaks) {
    const { runBreaks } = await import("./breaks/all-breaks.ts");
    process.exitCode = (await runBreaks(workers)) ? 0 : 1;
    return;
  }
  const { runMany, runOne } = await import("./asked-runs.ts");
  if (seed !== undefined) await runOne(seed, values.trace);
  else await runMany({ first, count, failuresMax, workers }, { asJson: values.json, isPublished: values.publish });
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`sim: ${error.message}\n`);
  process.exitCode = 2;
}
