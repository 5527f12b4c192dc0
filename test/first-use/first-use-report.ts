/** What a run of the README's commands leaves in docs/quick-start.md. */
import { replaceSection, table, wrapped } from "#test/bench/markdown.ts";
import type { Step } from "./first-use.ts";

export interface FirstUseRun {
  readonly commit: string;
  readonly date: string;
  readonly processorCount: number;
  readonly memoryBytes: number;
  /** Of the minute before it: what else there was to do. */
  readonly loadAverage: number;
  /** Of the bare machine, as they say themselves. */
  readonly versions: string;
  /** With the second command, which takes minutes. */
  readonly isWhole: boolean;
  readonly steps: readonly Step[];
}

const GiB = 1024 ** 3;

export function withFirstUse(document: string, run: FirstUseRun): string {
  return replaceSection(document, "first use", textOf(run), "npm run first-use -- --publish");
}

export function stepsTable(steps: readonly Step[]): string {
  return table(
    ["what was typed", "seconds"],
    steps.map(({ what, seconds }) => [what, seconds.toFixed(1)]),
  );
}

function textOf(run: FirstUseRun): string {
  const { commit, date, processorCount, memoryBytes, loadAverage, versions, isWhole, steps } = run;
  const machine = `${processorCount} processors and ${(memoryBytes / GiB).toFixed(0)} GiB of memory`;
  const about =
    `Commit ${commit}, on ${date.slice(0, 10)}, with ${machine}, and a load average of ${loadAverage.toFixed(1)} before it; there were ` +
    `${versions}.${isWhole ? "" : " `npm test` was left out."}`;
  return `${wrapped(about)}\n\n${stepsTable(steps)}`;
}
