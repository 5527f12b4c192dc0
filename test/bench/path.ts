/** `npm run bench -- path`: the protected path beside one without protection, and beside QEMU's mirror, under fio. */
import type { Bench } from "./bench.ts";
import { fioOptions } from "./fio.ts";
import { describeCommand, describeCommit, describeMachine } from "./machine.ts";
import { type ExtraName, folderOf, type PathCase, type PlaceName } from "./path-cases.ts";
import { type ContenderName, startContender } from "./path-contenders.ts";
import type { ExtraFigures } from "./path-extras.ts";
import { measureHotSpot, measureThinLink } from "./path-hot-spot.ts";
import { measureBesideCopy, measureInitialCopy } from "./path-initial-copy.ts";
import { measureMemory } from "./path-memory.ts";
import { type PathOptions, parsePathOptions, pathHelp } from "./path-options.ts";
import { measureRegionMap } from "./path-region-map.ts";
import { formatPathResults } from "./path-report.ts";
import { comparisonsOf, contenderFigures, type PathCaseFigures, type PathTurn } from "./path-results.ts";
import { measureResync } from "./path-resync.ts";
import { mergeResults, type PathResults } from "./path-run.ts";
import { measureSealing } from "./path-sealing.ts";
import { measureSustained } from "./path-sustained.ts";
import { takeTurn } from "./path-turn.ts";
import { measureVolumes } from "./path-volumes.ts";
import { describePlace, type PlaceDescription, requireRoom } from "./place.ts";
import { createProgress, type Progress } from "./progress.ts";
import { publishedFigures, publishFigures, writeJson } from "./publication.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch, writeNoiseFile } from "./scratch.ts";

const GiB = 1024 ** 3;
const fileBytes = GiB;
/** The file and its copy, and for each second of a turn what spool and journal may take in it. */
const roomBytes = (seconds: number) => 2 * fileBytes + (seconds + 1) * 4 * GiB;

const measureExtra: {
  readonly [Name in ExtraName]: (options: PathOptions, progress: Progress) => Promise<ExtraFigures[Name]>;
} = {
  sustained: measureSustained,
  memory: measureMemory,
  volumes: measureVolumes,
  "hot-spot": measureHotSpot,
  "thin-link": measureThinLink,
  "beside-sealing": measureSealing,
  "initial-copy": measureInitialCopy,
  "beside-copy": measureBesideCopy,
  resync: measureResync,
  "region-map": measureRegionMap,
};

export const pathBench: Bench = {
  name: "path",
  summary: "the protected write path beside nbdkit and QEMU's mirror",
  help: pathHelp,
  run: runPath,
  format: (json) => formatPathResults(JSON.parse(json)),
};

/** What all cases of one place have in common. */
interface Setting {
  readonly options: PathOptions;
  readonly place: PlaceName;
  readonly scratch: Scratch;
  readonly progress: Progress;
}

async function runPath(programArguments: readonly string[]): Promise<void> {
  const options = parsePathOptions(programArguments);
  const progress = createProgress(process.stderr);
  const about = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("path", programArguments),
    machine: await describeMachine(["nbdkit", "nbdcopy", "qemu-storage-daemon", "qemu-nbd", "fio"]),
    rounds: options.rounds,
    secondsPerRound: options.seconds,
  };
  const { date: run } = about;
  const places: PlaceDescription[] = [];
  const cases: PathCaseFigures[] = [];
  for (const place of options.places)
    places.push(await describePlace(place, folderOf(place, options.diskFolder), fileBytes));
  for (const place of options.cases.length > 0 ? options.places : []) {
    cases.push(...(await runPlace(place, options, progress)));
  }
  const extras: Partial<Record<ExtraName, object>> = {};
  for (const name of options.extras) extras[name] = { run, ...(await measureExtra[name](options, progress)) };
  progress.clear();
  const results: PathResults = {
    bench: "path",
    runs: [about],
    places,
    cases: cases.map((one) => ({ run, ...one })),
    extras: extras as PathResults["extras"],
  };
  process.stdout.write(`${formatPathResults(results)}\n`);
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, results);
  if (!options.isPublished) return;
  const before = (await publishedFigures(pathBench)) as PathResults | undefined;
  await publishFigures(pathBench, mergeResults(before, results));
}

async function runPlace(place: PlaceName, options: PathOptions, progress: Progress): Promise<PathCaseFigures[]> {
  const folder = folderOf(place, options.diskFolder);
  await requireRoom(folder, roomBytes(options.seconds));
  using scratch = createScratch(folder);
  progress.show(`${place}: writing ${(2 * fileBytes) / GiB} GiB`);
  await writeNoiseFile(scratch.file("disk"), fileBytes);
  await writeNoiseFile(scratch.file("copy"), fileBytes);
  const figures: PathCaseFigures[] = [];
  for (const one of options.cases) figures.push(await runCase(one, { options, place, scratch, progress }));
  return figures;
}

async function runCase(one: PathCase, setting: Setting): Promise<PathCaseFigures> {
  const { options, place } = setting;
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const turns = await interleave(options.contenders, schedule, (name, round) => turnOf(name, one, setting, round));
  const contenders = options.contenders.map((name) => contenderFigures(name, turns.get(name) ?? []));
  return {
    place,
    name: one.name,
    title: one.title,
    blockBytes: one.workload.blockBytes,
    fioOptions: fioOptions(one.workload, fileBytes),
    contenders,
    comparisons: comparisonsOf(one, place, contenders),
  };
}

async function turnOf(name: ContenderName, one: PathCase, setting: Setting, round: number): Promise<PathTurn> {
  const { options, place, scratch, progress } = setting;
  const which = round === 0 ? "warm-up" : `round ${round} of ${options.rounds}`;
  progress.show(`${place}: ${one.title}, ${which}, ${name}`);
  const ground = { file: scratch.file("disk"), copyFile: scratch.file("copy"), dataFolder: scratch.file("data") };
  return takeTurn(({ sockets }) => startContender(name, { ...ground, sockets }), {
    workload: one.workload,
    sizeBytes: fileBytes,
    seconds: options.seconds,
    seed: round,
    diskFolder: place === "disk" ? options.diskFolder : undefined,
  });
}
