/** `npm run bench -- NAME`: side by side with what people use today. */
import { UsageError } from "#src/cli/command.ts";
import type { Bench } from "./bench.ts";
import { controlBench } from "./control.ts";
import { growthBench } from "./growth.ts";
import { holesBench } from "./holes.ts";
import { nbdBench } from "./nbd.ts";
import { pathBench } from "./path.ts";
import { pointsBench } from "./points.ts";
import { publishSections } from "./publication.ts";
import { steadyBench } from "./steady.ts";
import { storeBench } from "./store.ts";

const benches: readonly Bench[] = [
  ...[nbdBench, pathBench, storeBench, pointsBench, controlBench, holesBench],
  ...[steadyBench, growthBench],
];

const help = `Usage: npm run bench -- NAME [OPTION ...]

${benches.map((bench) => `  ${bench.name.padEnd(8)}  ${bench.summary}`).join("\n")}
  report    write docs/benchmarks.md anew from the figures in docs/benchmarks

'npm run bench -- NAME --help' tells more of one, with an example.
`;

async function run([name, ...rest]: readonly string[]): Promise<void> {
  if (name === "--help" || name === "-h") {
    process.stdout.write(help);
    return;
  }
  if (name === "report" && rest.length === 0) return publishSections(benches);
  const bench = benches.find((one) => one.name === name);
  if (bench === undefined) throw new UsageError(`which one?\n\n${help}`);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(bench.help);
    return;
  }
  await bench.run(rest);
}

// An orderly exit, so that servers and files go too.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.once(signal, () => process.exit(status));
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
