/** What every published run says of itself. */
import type { Machine } from "./machine.ts";
import { wrapped } from "./markdown.ts";

const GiB = 1024 ** 3;

export interface Provenance {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Absent where a turn takes as long as its work does. */
  readonly secondsPerRound?: number;
}

export function provenance({ rounds, secondsPerRound, ...run }: Provenance): string {
  const length = secondsPerRound === undefined ? "" : ` of ${secondsPerRound} s`;
  return aboutRun(run, [`${rounds} counted ${rounds === 1 ? "round" : "rounds"}${length} per case and server.`]);
}

/** Of a run that has no rounds, or tells of them in `words` of its own. */
export function aboutRun(
  { date, commit, command, machine }: Pick<Provenance, "date" | "commit" | "command" | "machine">,
  words: readonly string[] = [],
): string {
  const programs = Object.entries(machine.programs).map(([program, version]) => `${program} ${version}`);
  const memory = `${(machine.memoryBytes / GiB).toFixed(0)} GiB of memory`;
  return [
    wrapped(`\`${command}\` on ${date.slice(0, 10)}, commit ${commit}:`),
    ...words,
    `${machine.processor}, ${machine.processorCount} processors, ${memory}, ${machine.kernel};`,
    `${programs.join(", ")}.`,
    `Load average before the run: ${machine.loadAverage}.`,
  ].join("\n");
}
