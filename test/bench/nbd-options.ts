/** What of the NBD benchmark is run, by its command line. */
import { join } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "#src/cli/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { crowdCaseName, type NbdCase, nbdCases, type PlaceName, placeNames } from "./nbd-cases.ts";
import { chosen } from "./selection.ts";
import { type ServerName, serverNames } from "./server.ts";

export interface NbdOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly places: readonly PlaceName[];
  readonly cases: readonly NbdCase[];
  readonly crowd: boolean;
  readonly peers: readonly ServerName[];
  readonly diskFolder: string;
  readonly jsonFile: string | undefined;
  /** Nothing left out and nothing cut short: what may stand in the documents. */
  readonly isWhole: boolean;
}

const roundsDefault = 7;
const secondsDefault = 2;
const diskFolderDefault = join(projectRoot, "var");
const caseNames = [...nbdCases.map((one) => one.name), crowdCaseName];
const peerNames = serverNames.filter((name) => name !== "tidemark");

export const nbdHelp = `Usage: npm run bench -- nbd [OPTION ...]

Measures 'tidemark serve' side by side with nbdkit's file plugin and qemu-nbd: fio's nbd engine over a Unix socket, on one
file, in rounds that take turns. A whole run takes some 20 minutes and writes docs/benchmarks; a run with fewer rounds,
seconds, cases or peers than it has by itself only prints.

  --rounds N     counted rounds per case, after one that is not counted (${roundsDefault})
  --seconds N    length of one server's turn (${secondsDefault})
  --only PLACE   of ${placeNames.join(", ")}; several with commas between
  --cases NAME   of ${caseNames.join(", ")};
                 several with commas between
  --peers NAME   of ${peerNames.join(", ")}; several with commas between
  --disk FOLDER  where the files of 'disk' and 'cold' go, 5 GiB together (var)
  --json FILE    write the figures there as well

Dropping all caches between the turns of 'cold' takes root; without, only the file's own pages are dropped.

Example:
  npm run bench -- nbd --rounds 1 --seconds 1 --only tmpfs --cases random-write,random-read
`;

const optionTypes = {
  rounds: { type: "string", default: String(roundsDefault) },
  seconds: { type: "string", default: String(secondsDefault) },
  only: { type: "string", default: placeNames.join() },
  cases: { type: "string", default: caseNames.join() },
  peers: { type: "string", default: peerNames.join() },
  disk: { type: "string", default: diskFolderDefault },
  json: { type: "string" },
} as const;

export function parseNbdOptions(programArguments: readonly string[]): NbdOptions {
  const { values, positionals } = parseCommandLine(programArguments, optionTypes);
  if (positionals.length > 0) throw new UsageError(`'${positionals[0]}' is no option`);
  const rounds = wholeNumber(values.rounds, "--rounds", { min: 1, max: 1000 });
  const seconds = wholeNumber(values.seconds, "--seconds", { min: 1, max: 600 });
  const places = chosen("--only", values.only, placeNames);
  const names = chosen("--cases", values.cases, caseNames);
  const cases = nbdCases.filter(
    (one) => names.includes(one.name) && one.places.some((place) => places.includes(place)),
  );
  const crowd = names.includes(crowdCaseName) && places.includes("tmpfs");
  if (cases.length === 0 && !crowd) throw new UsageError("none of these cases is measured in these places");
  const peers = chosen("--peers", values.peers, peerNames);
  const leavesNothingOut =
    places.length === placeNames.length && cases.length === nbdCases.length && peers.length === peerNames.length;
  return {
    rounds,
    seconds,
    places: places.filter((place) => cases.some((one) => one.places.includes(place))),
    cases,
    crowd,
    peers,
    diskFolder: values.disk,
    jsonFile: values.json,
    isWhole: leavesNothingOut && crowd && rounds >= roundsDefault && seconds >= secondsDefault,
  };
}
