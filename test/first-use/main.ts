/** `npm run first-use`: the README's two commands and its story, on a machine that has nothing but what the README asks for. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseCommandLine, UsageError } from "#src/cli/command.ts";
import { describeCommit } from "#test/bench/machine.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { BareMachine, bareMachineObstacle } from "./bare-machine.ts";
import { FirstUse } from "./first-use.ts";
import { stepsTable, withFirstUse } from "./first-use-report.ts";

const help = `Usage: npm run first-use -- [OPTION ...]

Makes a bare Debian 12 of Debian's packages, with git, npm and Node as the README asks for, clones into it what is committed in this
checkout, and types what the README begins with: 'npm start', the story, Ctrl-C, and 'npm test'. It takes root, mmdebstrap, a mirror of
Debian, npm's registry, and the ports that the README names; some 3 GB of room are needed for a while, in TMPDIR. The exit status is
0 where all was as the README says.

  --no-tests   leaves out 'npm test', which takes minutes
  --publish    writes the times into docs/quick-start.md
  --help       this text

Example:
  npm run first-use -- --no-tests
`;

async function firstUse(programArguments: readonly string[]): Promise<void> {
  if (programArguments.includes("--help")) return void process.stdout.write(help);
  const { values, positionals } = parseCommandLine(programArguments, {
    "no-tests": { type: "boolean", default: false },
    publish: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new UsageError(`first-use takes no '${positionals[0]}'; --help lists the options`);
  const obstacle = await bareMachineObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const folder = mkdtempSync(join(tmpdir(), "tidemark-first-use-"));
  // What is mounted there is so for the programs of the bare machine alone; none is behind this in any case.
  process.once("exit", () => spawnSync("rm", ["-rf", "--one-file-system", folder]));
  await typedIn(folder, values);
}

async function typedIn(folder: string, values: { readonly "no-tests": boolean; readonly publish: boolean }) {
  const [loadAverage = 0] = loadavg();
  process.stderr.write("Making a bare machine ...\n");
  const machine = await BareMachine.make(folder);
  const versions = await versionsOf(machine);
  const use = new FirstUse(machine, ({ what, seconds }) => process.stderr.write(`${what}: ${seconds.toFixed(1)} s\n`));
  await use.story();
  await use.asUser();
  if (!values["no-tests"]) await use.tests();
  process.stdout.write(`${stepsTable(use.steps)}\n`);
  if (!values.publish) return;
  const file = join(projectRoot, "docs/quick-start.md");
  const [commit, date] = [await describeCommit(), new Date().toISOString()];
  const about = { commit, date, processorCount: cpus().length, memoryBytes: totalmem(), loadAverage, versions };
  const run = { ...about, isWhole: !values["no-tests"], steps: use.steps };
  writeFileSync(file, withFirstUse(readFileSync(file, "utf8"), run));
}

async function versionsOf(machine: BareMachine): Promise<string> {
  const asked =
    'echo "Debian $(cat /etc/debian_version), git $(git --version | cut -d" " -f3), Node $(node -v), npm $(npm -v)"';
  const terminal = machine.terminal(asked, { folder: "/root" });
  await terminal.succeeds();
  return terminal.text.trim();
}

// An orderly exit, so that what was started goes too.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(status));
}

try {
  await firstUse(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`first-use: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
