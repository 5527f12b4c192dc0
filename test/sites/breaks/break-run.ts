/** Runs the simulation in a broken copy of the project until seeds find the break. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { RangeSummary } from "../seed-range.ts";
import { type Break, BrokenCopy } from "./break.ts";

export interface BreakFinding {
  readonly name: string;
  readonly harm: string;
  readonly seedsRun: number;
  readonly found: readonly { readonly seed: number; readonly message: string }[];
}

export interface BreakRunOptions {
  readonly project: string;
  readonly first: number;
  readonly seedsMax: number;
  readonly failuresMax: number;
  readonly workers: number;
}

const outputBytesMax = 64 * 1024 * 1024;

export function runBreak(break_: Break, options: BreakRunOptions): BreakFinding {
  const flags = [
    "--first",
    options.first,
    "--seeds",
    options.seedsMax,
    "--failures",
    options.failuresMax,
    "--workers",
    options.workers,
  ];
  const summary = runBroken(break_, options.project, "test/sites/main.ts", ["--json", ...flags.map(String)]);
  const found = summary.failures.map(({ seed, message }) => ({ seed, message }));
  found.sort((a, b) => a.seed - b.seed);
  return { name: break_.name, harm: break_.harm, seedsRun: summary.seeds, found };
}

/** What a program that tells of its failures as JSON says in a broken copy. */
export function runBroken(
  break_: Break,
  project: string,
  program: string,
  line: readonly string[],
): Pick<RangeSummary, "seeds" | "failures"> {
  const copy = new BrokenCopy(project, break_.changes);
  try {
    const child = spawnSync(process.execPath, [join(copy.folder, program), ...line], {
      cwd: copy.folder,
      encoding: "utf8",
      maxBuffer: outputBytesMax,
    });
    return parse(child.stdout, child.stderr);
  } finally {
    copy.remove();
  }
}

function parse(output: string, errors: string): RangeSummary {
  try {
    return JSON.parse(output) as RangeSummary;
  } catch {
    throw new Error(`the simulation did not come to an end:\n${output}\n${errors}`);
  }
}
