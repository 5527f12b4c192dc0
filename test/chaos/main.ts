/** `npm run chaos`: the whole system under faults, for as long as somebody wants to look. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { runChaosBreaks } from "./all-breaks.ts";
import type { AskedRun } from "./chaos-run.ts";
import { type ChaosReport, describeReport } from "./report.ts";

const help = `Usage: npm run chaos -- [--minutes N] [--seed S] [--json]
       npm run chaos -- --breaks [NAME] [--minutes N]

Runs interceptor, local and remote appliance as processes, a host that writes stamps, a PostgreSQL on an ext4, and lets go wrong
whatever may: kills, frozen processes, a bad network, full disks, turned bits, clocks that jump. All is judged again and again.
Faults are drawn from the seed; when exactly they strike is a matter of the machine. Needs root. Ctrl-C ends it in good order.

  --minutes N  how long (10)
  --seed S     of what is drawn (one of the clock)
  --json       the report as JSON; progress goes to the standard error
  --breaks     breaks the product on purpose, a copy of it, in one place after the other, and sees whether that is found;
               with a part of a name, only where it is named so
  --help       this text

Example:
  npm run chaos -- --minutes 60 --seed 7
`;

const seedMax = 2 ** 32 - 1;
const minutesMax = 100_000;

async function run(programArguments: readonly string[]): Promise<void> {
  if (programArguments.includes("--help") || programArguments.includes("-h")) return void process.stdout.write(help);
  const { values, positionals } = parseCommandLine(programArguments, {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % seedMax) },
    json: { type: "boolean", default: false },
    breaks: { type: "boolean", default: false },
  });
  if (positionals.length > (values.breaks ? 1 : 0))
    throw new UsageError(`chaos takes no '${positionals[0]}'; --help lists the options`);
  const minutes = wholeNumber(values.minutes, "--minutes", { min: 1, max: minutesMax });
  const seed = wholeNumber(values.seed, "--seed", { min: 0, max: seedMax });
  if (process.getuid?.() !== 0) throw new UsageError("only root can mount the disks that it needs: run it as root");
  if (values.breaks) {
    process.exitCode = (await runChaosBreaks(minutes, positionals[0] ?? "")) ? 0 : 1;
    return;
  }
  const report = await chaos({ minutes, seed });
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${describeReport(report)}\n`);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}

async function chaos(wish: Pick<AskedRun, "minutes" | "seed">): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-chaos-"));
  const files = { reportFile: join(folder, "report.json"), enoughFile: join(folder, "enough") };
  const asked: AskedRun = { ...wish, folder, ...files };
  process.stderr.write(`chaos: seed ${wish.seed}, in ${folder}\n`);
  const child = spawn(process.execPath, [join(import.meta.dirname, "chaos-process.ts")], {
    // Of a group of its own: a Ctrl-C is for this process, which asks for an end, and not for all those that it must outlive.
    detached: true,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, TIDEMARK_CHAOS: JSON.stringify(asked) },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => writeFileSync(files.enoughFile, ""));
  }
  const [code, signal] = await once(child, "exit");
  if (!existsSync(files.reportFile)) throw new Error(`it ended with ${code ?? signal}, and has left ${folder}`);
  const report = JSON.parse(readFileSync(files.reportFile, "utf8")) as ChaosReport;
  const failures = code === 0 || report.failures.length > 0 ? report.failures : ["it did not end in good order"];
  if (failures.length > 0) return { ...report, failures, folder };
  rmSync(folder, { recursive: true });
  return report;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`chaos: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
