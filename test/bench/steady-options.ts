/** For how long the steady load goes on, by the command line, and which spans of the settings follow from that. */
import { join, resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

export interface SteadyOptions {
  readonly minutes: number;
  readonly sizeMebibytes: number;
  readonly folder: string;
  readonly jsonFile: string | undefined;
  readonly isPublished: boolean;
}

const usual = { minutes: 60, size: 1024 } as const;
/** Of a shorter run nobody can say that something stays as it is. */
const publishedMinutesMin = 20;

export const steadyHelp = `Usage: npm run bench -- steady [OPTION ...]

Runs the three roles as processes of their own under a steady mixed load that leaves the machine room, with all on the disk:
sealing, snapshots, ageing and collection go on at short spans, and now and then a view is opened, read and closed. All the time
it is noted what the host gets, how long its writes take, the lag, memory and descriptors of each process, and bytes of spool,
journals and store. In the end it says which of these were flat. Ctrl-C ends all that it has started, and removes its files.

  --minutes N      how long (${usual.minutes}); the spans of ageing and collection are shares of it
  --size N         MiB of the volume (${usual.size})
  --folder FOLDER  where all of it lies (var); some 10 GiB, and 100 MiB more for each minute
  --publish        put figures and picture into the documents; not of less than ${publishedMinutesMin} minutes
  --json FILE      write the figures there as well

Example:
  npm run bench -- steady --minutes 2 --size 256
`;

export function steadyOptions(programArguments: readonly string[]): SteadyOptions {
  const text = { type: "string" } as const;
  const types = { minutes: text, size: text, folder: text, json: text, publish: { type: "boolean" } } as const;
  const { values, positionals } = parseCommandLine(programArguments, types);
  if (positionals.length > 0) throw new UsageError(`steady takes no '${positionals[0]}'`);
  const number = (name: keyof typeof usual, range: { readonly min: number; readonly max: number }) =>
    wholeNumber(values[name] ?? String(usual[name]), `--${name}`, range);
  const minutes = number("minutes", { min: 1, max: 10_000 });
  const size = number("size", { min: 64, max: 65_536 });
  const isPublished = values.publish === true;
  if (isPublished && (minutes < publishedMinutesMin || size < usual.size)) {
    throw new UsageError(`what is published runs for ${publishedMinutesMin} minutes at least, on ${usual.size} MiB`);
  }
  return {
    ...{ minutes, sizeMebibytes: size, isPublished },
    folder: resolve(values.folder ?? join(projectRoot, "var")),
    jsonFile: values.json,
  };
}

/** All in seconds, and whole: shares of the run, so that everything has come round several times before what is compared begins. */
export interface SteadySpans {
  readonly keep: number;
  /** As the setting has them. */
  readonly levels: string;
  readonly sealAfter: number;
  readonly snapshots: number;
  readonly collect: number;
  readonly grace: number;
  readonly views: number;
  readonly samples: number;
}

export function spansOf(minutes: number): SteadySpans {
  const seconds = minutes * 60;
  const share = (divisor: number, least: number) => Math.max(least, Math.round(seconds / divisor));
  return {
    keep: share(8, 15),
    levels: `${share(60, 2)}s 1s, ${share(24, 5)}s 5s`,
    sealAfter: share(60, 2),
    snapshots: share(60, 2),
    collect: share(40, 3),
    grace: share(60, 2),
    views: share(40, 5),
    samples: Math.min(10, share(48, 1)),
  };
}
