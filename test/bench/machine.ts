/** What a measurement was made on and with: figures without it mean nothing. */
import { cpus, homedir, loadavg, release, totalmem } from "node:os";
import { run, succeed } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

export interface Machine {
  readonly processor: string;
  readonly processorCount: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Of the last minute before the run: what else there was to do. */
  readonly loadAverage: number;
  /** Programs by name, with their versions. */
  readonly programs: Readonly<Record<string, string>>;
}

export async function describeMachine(programs: readonly string[]): Promise<Machine> {
  const processors = cpus();
  const versions = await Promise.all(programs.map(async (program) => [program, await versionOf(program)] as const));
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    processorCount: processors.length,
    memoryBytes: totalmem(),
    kernel: `Linux ${release()}`,
    loadAverage: Number(loadavg()[0]?.toFixed(2)),
    programs: { node: process.versions.node, ...Object.fromEntries(versions) },
  };
}

/** Most programs take `--version`. */
const versionArguments: Readonly<Record<string, string>> = { restic: "version" };

async function versionOf(program: string): Promise<string> {
  const { stdout } = await succeed(program, [versionArguments[program] ?? "--version"]).catch((error: unknown) => {
    throw new Error(`${program} does not run; as root, deploy/setup-peers.sh bench installs it`, { cause: error });
  });
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? "unknown";
}

/** The commit that was measured; it says so where the product was changed since. */
export async function describeCommit(): Promise<string> {
  const commit = await run("git", ["-C", projectRoot, "rev-parse", "--short=12", "HEAD"]);
  if (commit.exitCode !== 0) return "unknown";
  const changes = await run("git", ["-C", projectRoot, "status", "--porcelain", "--", "src", "package-lock.json"]);
  return commit.stdout.trim() + (changes.stdout === "" ? "" : " with changes");
}

/** Type of the file system that a folder is on, as `df` names it. */
export async function fileSystemOf(folder: string): Promise<string> {
  const { stdout } = await succeed("df", ["--output=fstype", folder]);
  return stdout.trim().split("\n").at(-1) ?? "unknown";
}

/** The command line as someone else would type it: without the places of this checkout and this home. */
export function describeCommand(bench: string, programArguments: readonly string[]): string {
  const line = ["npm run bench --", bench, ...programArguments].join(" ");
  return line.replaceAll(projectRoot, ".").replaceAll(homedir(), "~");
}
