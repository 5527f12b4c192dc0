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
  readonly seedsMax: number;
  readonly failuresMax: number;
  readonly workers: number;
}

const outputBytesMax = 64 * 1024 * 1024;

export function runBreak(break_: Break, options: BreakRunOptions): BreakFinding {
  const copy = new BrokenCopy(options.project, break_.changes);
  try {
    const flags = ["--seeds", options.seedsMax, "--failures", options.failuresMax, "--workers", options.workers];
    const child = spawnSync(
      process.execPath,
      [join(copy.folder, "test/sites/main.ts"), "--json", ...flags.map(String)],
      {
        cwd: copy.folder,
        encoding: "utf8",
        maxBuffer: outputBytesMax,
      },
    );
    const summary = parse(child.stdout, child.stderr);
    const found = summary.failures.map(({ seed, message }) => ({ seed, message }));
    found.sort((a, b) => a.seed - b.seed);
    return { name: break_.name, harm: break_.harm, seedsRun: summary.seeds, found };
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
