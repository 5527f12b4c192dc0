/** What of the benchmark of points is run, by its command line. */
import { resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { chosen } from "./selection.ts";

export const pointsCaseNames = [
  "synthesis",
  "opening",
  "unsealed",
  "view-random",
  "view-sequential",
  "restore",
  "diff",
  "ageing",
] as const;
export type PointsCaseName = (typeof pointsCaseNames)[number];

export interface PointsOptions {
  readonly cases: readonly PointsCaseName[];
  readonly rounds: number;
  readonly changeCount: number;
  /** Of the large volume, each block of which was written by itself. */
  readonly denseGibibytes: number;
  readonly recordCount: number;
  readonly pointCount: number;
  /** Of files in the image that is read through a view and restored. */
  readonly imageMebibytes: number;
  /** That one turn of reading through a view takes. */
  readonly seconds: number;
  readonly folder: string;
  readonly isPublished: boolean;
}

const usual = {
  rounds: 5,
  changes: 100_000,
  dense: 16,
  records: 10_000_000,
  points: 1000,
  image: 1024,
  seconds: 2,
} as const;

export const pointsHelp = `Usage: npm run bench -- points [OPTION ...]

Measures what snapshots and points cost: synthesis of changes on volumes of several sizes, opening random points of a long
journal, telling where two points differ; and what comes out of them, through a view beside nbdkit and by a restore beside
qemu-img. In memory. A whole run takes some minutes; it writes docs/benchmarks only when it is told to.

  --cases NAME      of ${pointsCaseNames.join(", ")};
                    several with commas between
  --rounds N        counted rounds, after one that is not counted (${usual.rounds})
  --changes N       between two snapshots (${usual.changes})
  --dense N         GiB of the large volume, all of which was written block by block in disorder (${usual.dense})
  --records N       in the journal whose points are opened (${usual.records}); not sealed, no more than wait in use
  --points N        that are opened (${usual.points})
  --image N         MiB of files of this machine's packages in the image that is read (${usual.image})
  --seconds N       that one turn of reading through a view takes (${usual.seconds})
  --folder FOLDER   where all of it lies (/dev/shm)
  --publish         put the figures into docs/benchmarks

Example:
  npm run bench -- points --cases view-random,restore --rounds 2 --image 128
`;

export function pointsOptions(programArguments: readonly string[]): PointsOptions {
  const text = { type: "string" } as const;
  const numbers = { rounds: text, changes: text, dense: text, records: text, points: text, image: text, seconds: text };
  const types = { ...numbers, cases: text, folder: text, publish: { type: "boolean" } } as const;
  const { values, positionals } = parseCommandLine(programArguments, types);
  if (positionals.length > 0) throw new UsageError(`points takes no '${positionals[0]}'`);
  const number = (name: keyof typeof usual, max: number) =>
    wholeNumber(values[name] ?? String(usual[name]), `--${name}`, { min: 1, max });
  return {
    cases: chosen("--cases", values.cases ?? pointsCaseNames.join(), pointsCaseNames),
    rounds: number("rounds", 1000),
    changeCount: number("changes", 10_000_000),
    denseGibibytes: number("dense", 4096),
    recordCount: number("records", 1_000_000_000),
    pointCount: number("points", 1_000_000),
    imageMebibytes: number("image", 65_536),
    seconds: number("seconds", 600),
    folder: resolve(values.folder ?? "/dev/shm"),
    isPublished: values.publish === true,
  };
}
