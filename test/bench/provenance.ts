/** What every published run says of itself. */
import type { Machine } from "./machine.ts";

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

export function provenance({ date, commit, command, machine, rounds, secondsPerRound }: Provenance): string {
  const programs = Object.entries(machine.programs).map(([program, version]) => `${program} ${version}`);
  const length = secondsPerRound === undefined ? "" : ` of ${secondsPerRound} s`;
  const memory = `${(machine.memoryBytes / GiB).toFixed(0)} GiB of memory`;
  return [
    `\`${command}\` on ${date.slice(0, 10)}, commit ${commit}:`,
    `${rounds} counted ${rounds === 1 ? "round" : "rounds"}${length} per case and server.`,
    `${machine.processor}, ${machine.processorCount} processors, ${memory}, ${machine.kernel};`,
    `${programs.join(", ")}.`,
    `Load average before the run: ${machine.loadAverage}.`,
  ].join("\n");
}
