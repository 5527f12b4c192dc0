/** What of the benchmark of the store is run, by its command line. */
import { resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { chosen } from "./selection.ts";
import { type StoreContenderName, storePeerNames } from "./store-contenders.ts";
import { type StoreCaseName, storeCaseNames } from "./store-results.ts";

export interface StoreOptions {
  readonly rounds: number;
  readonly cases: readonly StoreCaseName[];
  readonly peers: readonly Exclude<StoreContenderName, "tidemark">[];
  /** Of the image that goes in and out. */
  readonly imageMebibytes: number;
  readonly reductionMebibytes: number;
  /** In the index that is full, in millions. */
  readonly fingerprintMillions: number;
  /** Of the store of which half is collected. */
  readonly collectedMebibytes: number;
  readonly folder: string;
  readonly jsonFile: string | undefined;
  /** Goes into the documents. What was measured there is neither smaller nor beside other peers than the rest. */
  readonly isPublished: boolean;
}

const usual = { rounds: 3, image: 1536, reduction: 512, fingerprints: 100, collected: 20480 } as const;

export const storeHelp = `Usage: npm run bench -- store [OPTION ...]

Measures the store, in memory: an image in and out beside restic, borg and casync, each with one repository there; random
reads; what states of several images take; sealing with a large index, and while half of a store is collected. A whole run
takes about half an hour and writes docs/benchmarks. A run of some cases does so when it is told to, and what is there
of other cases stays, with the commit and the date of its own run; one with smaller sizes, fewer rounds or peers than it has
by itself only prints.

  --rounds N        counted rounds, after one that is not counted (${usual.rounds})
  --cases NAME      of ${storeCaseNames.join(", ")};
                    several with commas between
  --peers NAME      of ${storePeerNames.join(", ")}; several with commas between
  --image N         MiB of files in the image of the case 'image' (${usual.image})
  --reduction N     MiB of files in each image of the case 'reduction' (${usual.reduction})
  --fingerprints N  millions of fingerprints in the case 'full-index' (${usual.fingerprints})
  --collected N     MiB of the store in the case 'collection' (${usual.collected})
  --folder FOLDER   where all of it lies (/dev/shm)
  --publish         put these cases into docs/benchmarks, in the place of what is there of them
  --json FILE       write the figures there as well

What is free must do for the largest case: 19 GiB for 'full-index', 15 for 'collection', some three for the others. In memory
that takes a machine with 24 GiB; else a folder on a disk. The two take some ten minutes each on two processors. Files of
Debian's packages of this machine are what images are made of; for 'reduction' as root, or where setpriv is allowed to become the
user postgres.

Example:
  npm run bench -- store --rounds 1 --cases image --image 128 --peers borg
`;

const optionTypes = {
  rounds: { type: "string", default: String(usual.rounds) },
  cases: { type: "string", default: storeCaseNames.join() },
  peers: { type: "string", default: storePeerNames.join() },
  image: { type: "string", default: String(usual.image) },
  reduction: { type: "string", default: String(usual.reduction) },
  fingerprints: { type: "string", default: String(usual.fingerprints) },
  collected: { type: "string", default: String(usual.collected) },
  folder: { type: "string", default: "/dev/shm" },
  publish: { type: "boolean", default: false },
  json: { type: "string" },
} as const;

export function parseStoreOptions(programArguments: readonly string[]): StoreOptions {
  const { values, positionals } = parseCommandLine(programArguments, optionTypes);
  if (positionals.length > 0) throw new UsageError(`'${positionals[0]}' is no option`);
  const rounds = wholeNumber(values.rounds, "--rounds", { min: 1, max: 1000 });
  const image = wholeNumber(values.image, "--image", { min: 16, max: 16384 });
  const reduction = wholeNumber(values.reduction, "--reduction", { min: 32, max: 16384 });
  const fingerprints = wholeNumber(values.fingerprints, "--fingerprints", { min: 1, max: 1000 });
  const collected = wholeNumber(values.collected, "--collected", { min: 1024, max: 65536 });
  const cases = chosen("--cases", values.cases, storeCaseNames);
  const peers = chosen("--peers", values.peers, storePeerNames);
  const isLarge =
    image >= usual.image &&
    reduction >= usual.reduction &&
    fingerprints >= usual.fingerprints &&
    collected >= usual.collected;
  const isSound = rounds >= usual.rounds && isLarge && peers.length === storePeerNames.length;
  if (values.publish && !isSound) throw new UsageError("what is published is measured in full, beside all peers");
  return {
    rounds,
    cases,
    peers,
    imageMebibytes: image,
    reductionMebibytes: reduction,
    fingerprintMillions: fingerprints,
    collectedMebibytes: collected,
    folder: resolve(values.folder),
    jsonFile: values.json,
    isPublished: values.publish || (isSound && cases.length === storeCaseNames.length),
  };
}
