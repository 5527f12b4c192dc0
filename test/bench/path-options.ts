/** What of the benchmark of the protected path is run, by its command line. */
import { join, resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { type ExtraName, extraNames, type PathCase, type PlaceName, pathCases, placeNames } from "./path-cases.ts";
import { type ContenderName, ownNames, peerNames } from "./path-contenders.ts";
import { chosen } from "./selection.ts";

export interface PathOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly places: readonly PlaceName[];
  readonly cases: readonly PathCase[];
  readonly extras: readonly ExtraName[];
  readonly contenders: readonly ContenderName[];
  readonly sustainedBytes: number;
  /** Of the source in the cases of the first copy. */
  readonly copiedBytes: number;
  readonly diskFolder: string;
  readonly jsonFile: string | undefined;
  /** Goes into the documents. What was measured there is neither cut short nor beside other peers than the rest. */
  readonly isPublished: boolean;
}

const GiB = 1024 ** 3;
const roundsDefault = 3;
const secondsDefault = 2;
const sustainedGibibytesDefault = 8;
const copiedGibibytesDefault = 10;
const diskFolderDefault = join(projectRoot, "var");
const caseNames = [...pathCases.map((one) => one.name), ...extraNames];
const peerOptions = peerNames.map((name) => name.replace(" ", "-"));

export const pathHelp = `Usage: npm run bench -- path [OPTION ...]

Measures 'tidemark up', async and sync, side by side with nbdkit's file plugin, which protects nothing, and with QEMU's
mirror (qemu-storage-daemon to a second qemu-nbd), in the background and blocking: fio's nbd engine over a Unix socket, in
rounds that take turns. A whole run takes some 50 minutes and writes docs/benchmarks. A run of some cases does so when it is
told to, and what is there of other cases stays, with the commit and the date of its own run; one with fewer rounds, seconds
or peers than it has by itself only prints.

  --rounds N     counted rounds per case, after one that is not counted (${roundsDefault})
  --seconds N    length of what is measured of one turn, after three seconds that are not (${secondsDefault}; at most 10)
  --only PLACE   of ${placeNames.join(", ")}; several with commas between
  --cases NAME   of ${caseNames.join(", ")};
                 several with commas between
  --peers NAME   of ${peerOptions.join(", ")}; several with commas between
  --sustained N  GiB that are written in the case 'sustained' (${sustainedGibibytesDefault})
  --copied N     GiB of the source in the cases 'initial-copy' and 'beside-copy' (${copiedGibibytesDefault})
  --disk FOLDER  where files go that are on a disk, and what 'memory' keeps (var)
  --publish      put these cases into docs/benchmarks, in the place of what is there of them
  --json FILE    write the figures there as well

Journals grow with every write, so each turn has a data folder of its own, and removes it. What is free must do for one
turn: about 14 GiB in /dev/shm and, for 'sustained', 30 GiB on the disk.

Example:
  npm run bench -- path --rounds 1 --seconds 1 --only tmpfs --cases random-write --peers nbdkit
`;

const optionTypes = {
  rounds: { type: "string", default: String(roundsDefault) },
  seconds: { type: "string", default: String(secondsDefault) },
  only: { type: "string", default: placeNames.join() },
  cases: { type: "string", default: caseNames.join() },
  peers: { type: "string", default: peerOptions.join() },
  sustained: { type: "string", default: String(sustainedGibibytesDefault) },
  copied: { type: "string", default: String(copiedGibibytesDefault) },
  disk: { type: "string", default: diskFolderDefault },
  publish: { type: "boolean", default: false },
  json: { type: "string" },
} as const;

export function parsePathOptions(programArguments: readonly string[]): PathOptions {
  const { values, positionals } = parseCommandLine(programArguments, optionTypes);
  if (positionals.length > 0) throw new UsageError(`'${positionals[0]}' is no option`);
  const rounds = wholeNumber(values.rounds, "--rounds", { min: 1, max: 1000 });
  // Longer turns would fill the place with journals.
  const seconds = wholeNumber(values.seconds, "--seconds", { min: 1, max: 10 });
  const sustained = wholeNumber(values.sustained, "--sustained", { min: 1, max: 1024 });
  const copied = wholeNumber(values.copied, "--copied", { min: 1, max: 1024 });
  const places = chosen("--only", values.only, placeNames);
  const names = chosen("--cases", values.cases, caseNames);
  const cases = pathCases.filter(({ name }) => names.includes(name));
  const extras = extrasIn(places, names);
  if (cases.length === 0 && extras.length === 0)
    throw new UsageError("none of these cases is measured in these places");
  const wantedPeers = chosen("--peers", values.peers, peerOptions);
  const peers = peerNames.filter((_, index) => wantedPeers.includes(peerOptions[index] as string));
  const isLong = rounds >= roundsDefault && seconds >= secondsDefault;
  const isLarge = sustained >= sustainedGibibytesDefault && copied >= copiedGibibytesDefault;
  const isSound = isLong && isLarge && peers.length === peerNames.length;
  if (values.publish && !isSound) throw new UsageError("what is published is measured in full, beside all peers");
  const isWhole = isSound && places.length === placeNames.length && names.length === caseNames.length;
  return {
    rounds,
    seconds,
    places,
    cases,
    extras,
    contenders: [...ownNames, ...peers],
    sustainedBytes: sustained * GiB,
    copiedBytes: copied * GiB,
    // What the configuration names is relative to the configuration.
    diskFolder: resolve(values.disk),
    jsonFile: values.json,
    isPublished: isWhole || values.publish,
  };
}

const inMemory: readonly ExtraName[] = ["volumes", "hot-spot", "thin-link", "beside-sealing"];

function extrasIn(places: readonly PlaceName[], names: readonly string[]): ExtraName[] {
  return extraNames.filter(
    (name) => names.includes(name) && places.includes(inMemory.includes(name) ? "tmpfs" : "disk"),
  );
}
