/** Which questions of growth are asked, and how far, by the command line. */
import { resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { chosen } from "./selection.ts";

export const growthCaseNames = ["journal", "size", "index", "delay", "bandwidth"] as const;
export type GrowthCaseName = (typeof growthCaseNames)[number];

export interface GrowthOptions {
  readonly cases: readonly GrowthCaseName[];
  readonly rounds: number;
  readonly seconds: number;
  /** The most that lie behind, in millions. */
  readonly recordMillions: number;
  /** The most that the index has, in millions. */
  readonly fingerprintMillions: number;
  readonly folder: string;
  readonly jsonFile: string | undefined;
  /** Goes into the documents. What was measured there is not cut short. */
  readonly isPublished: boolean;
}

const usual = { rounds: 2, seconds: 3, records: 10, fingerprints: 10 } as const;

export const growthHelp = `Usage: npm run bench -- growth [OPTION ...]

Measures how cost grows: with what lies behind in the journal, with the size of a volume, with what the store's index has, with
the delay of the link, and with its bandwidth. In memory. A whole run takes some ten minutes and writes docs/benchmarks. A run of
some cases does so when it is told to, and what is there of other cases stays, with the commit and the date of its own run; one that
is cut short only prints. How cost grows with the number of volumes is a case of 'path'.

  --cases NAME      of ${growthCaseNames.join(", ")}; several with commas between
  --rounds N        turns of each in 'size', 'index' and 'delay' (${usual.rounds})
  --seconds N       length of what is measured of one turn (${usual.seconds})
  --records N       millions of records that lie behind in 'journal', at most (${usual.records})
  --fingerprints N  millions of fingerprints in 'index', at most (${usual.fingerprints}); 100 are a case of 'store'
  --folder FOLDER   where all of it lies (/dev/shm)
  --publish         put these cases into docs/benchmarks, in the place of what is there of them
  --json FILE       write the figures there as well

What is free must do for the largest turn: some 8 GiB.

Example:
  npm run bench -- growth --cases delay --rounds 1 --seconds 1
`;

export function growthOptions(programArguments: readonly string[]): GrowthOptions {
  const text = { type: "string" } as const;
  const numbers = { rounds: text, seconds: text, records: text, fingerprints: text };
  const types = { ...numbers, cases: text, folder: text, json: text, publish: { type: "boolean" } } as const;
  const { values, positionals } = parseCommandLine(programArguments, types);
  if (positionals.length > 0) throw new UsageError(`growth takes no '${positionals[0]}'`);
  const number = (name: keyof typeof usual, max: number) =>
    wholeNumber(values[name] ?? String(usual[name]), `--${name}`, { min: 1, max });
  const cases = chosen("--cases", values.cases ?? growthCaseNames.join(), growthCaseNames);
  const [rounds, seconds] = [number("rounds", 100), number("seconds", 30)];
  const [records, fingerprints] = [number("records", 100), number("fingerprints", 1000)];
  const isWhole =
    rounds >= usual.rounds &&
    seconds >= usual.seconds &&
    records >= usual.records &&
    fingerprints >= usual.fingerprints;
  if (values.publish === true && !isWhole) throw new UsageError("what is published is measured in full");
  return {
    ...{ cases, rounds, seconds, recordMillions: records, fingerprintMillions: fingerprints },
    folder: resolve(values.folder ?? "/dev/shm"),
    jsonFile: values.json,
    isPublished: values.publish === true || (isWhole && cases.length === growthCaseNames.length),
  };
}
