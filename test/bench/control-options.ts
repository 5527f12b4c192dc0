/** What of the benchmark of the control API is run, by its command line. */
import { resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { chosen } from "./selection.ts";

export const controlCaseNames = ["scrapes", "stalled-disk"] as const;
export type ControlCaseName = (typeof controlCaseNames)[number];

export interface ControlOptions {
  readonly cases: readonly ControlCaseName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly sizeMebibytes: number;
  readonly folder: string;
  readonly isPublished: boolean;
}

const usual = { rounds: 5, seconds: 32, size: 512 } as const;

/** With scrapes and without, in turn. */
export const turnSeconds = 4;
/** What is compiled and mapped in the first seconds is no part of the figures. */
export const rampSeconds = 4;
/** Of one turn nobody knows how its cost scatters. */
const turnsMin = 2;
const MiB = 1024 * 1024;
/** More than this machine takes: all of it stays in the journals. */
const bytesPerSecondMax = 400 * MiB;

export const controlHelp = `Usage: npm run bench -- control [OPTION ...]

Measures what looking costs, and whether one can look while there is trouble: how much a scrape of the metrics each second takes
from a volume at full load, by seconds with and without in turn, and how long /healthz and /metrics take while one volume's disk
stands still and another one is at full load. In memory, of which it takes some 200 MB for each second of a round, and wants 400 MB
free. It writes docs/benchmarks only when it is told to.

  --cases NAME      of ${controlCaseNames.join(", ")}; several with a comma between
  --rounds N        of the scrapes, each with a Tidemark of its own (${usual.rounds})
  --seconds N       of each round (${usual.seconds}); all rounds together have at least ${turnsMin} turns of ${turnSeconds} s
  --size N          MiB of a volume (${usual.size})
  --folder FOLDER   where all of it lies (/dev/shm)
  --publish         put the figures into docs/benchmarks

Example:
  npm run bench -- control --rounds 1 --seconds 8 --size 64
`;

export function controlOptions(programArguments: readonly string[]): ControlOptions {
  const text = { type: "string" } as const;
  const types = {
    cases: text,
    rounds: text,
    seconds: text,
    size: text,
    folder: text,
    publish: { type: "boolean" },
  } as const;
  const { values, positionals } = parseCommandLine(programArguments, types);
  if (positionals.length > 0) throw new UsageError(`control takes no '${positionals[0]}'`);
  const number = (name: keyof typeof usual, max: number) =>
    wholeNumber(values[name] ?? String(usual[name]), `--${name}`, { min: 1, max });
  const options = {
    cases: chosen("--cases", values.cases ?? controlCaseNames.join(), controlCaseNames),
    rounds: number("rounds", 1000),
    seconds: number("seconds", 600),
    sizeMebibytes: number("size", 65_536),
    folder: resolve(values.folder ?? "/dev/shm"),
    isPublished: values.publish === true,
  };
  demandTurns(options);
  return options;
}

function demandTurns({ cases, rounds, seconds }: ControlOptions): void {
  if (!cases.includes("scrapes") || rounds * Math.floor(seconds / turnSeconds) >= turnsMin) return;
  throw new UsageError(
    `${rounds} x ${seconds} s are too few to tell what scrapes cost: with --rounds ${rounds} --seconds has to be at least ` +
      `${turnSeconds * Math.ceil(turnsMin / rounds)}`,
  );
}

/** Of the folder, for the largest round. */
export function neededBytes({ seconds, sizeMebibytes }: ControlOptions): number {
  return (rampSeconds + seconds) * bytesPerSecondMax + sizeMebibytes * MiB;
}
