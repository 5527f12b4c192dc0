/** `npm run bench -- nbd`: our server beside nbdkit and qemu-nbd, under fio. */
import { tmpdir } from "node:os";
import type { Bench } from "./bench.ts";
import { type CrowdFigures, measureCrowd } from "./crowd.ts";
import { fioOptions, runFio } from "./fio.ts";
import { describeCommand, describeCommit, describeMachine } from "./machine.ts";
import { memoryPeakBytesGoal, type NbdCase, type PlaceName } from "./nbd-cases.ts";
import { type NbdOptions, nbdHelp, parseNbdOptions } from "./nbd-options.ts";
import { formatNbdResults } from "./nbd-report.ts";
import { type CaseFigures, compare, figuresOf, type NbdResults, type ServerFigures, type Turn } from "./nbd-results.ts";
import { dropCaches, syncFile } from "./page-cache.ts";
import { describePlace, type PlaceDescription } from "./place.ts";
import { createProgress, type Progress } from "./progress.ts";
import { publishedFigures, publishFigures, writeJson } from "./publication.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch, writeNoiseFile } from "./scratch.ts";
import { type RunningServer, type ServerName, startServer } from "./server.ts";

const GiB = 1024 ** 3;

interface Place {
  readonly folder: (options: NbdOptions) => string;
  readonly fileBytes: number;
  readonly beforeTurn: (file: string) => Promise<void>;
}

const places: Readonly<Record<PlaceName, Place>> = {
  tmpfs: { folder: () => "/dev/shm", fileBytes: GiB, beforeTurn: async () => {} },
  disk: { folder: (options) => options.diskFolder, fileBytes: GiB, beforeTurn: syncFile },
  cold: { folder: (options) => options.diskFolder, fileBytes: 4 * GiB, beforeTurn: dropCaches },
};

/** What all cases of one place have in common. */
interface Setting {
  readonly options: NbdOptions;
  readonly place: PlaceName;
  readonly file: string;
  /** Short enough for the paths of sockets, whatever folder the file is in. */
  readonly run: Scratch;
  readonly progress: Progress;
}

export const nbdBench: Bench = {
  name: "nbd",
  summary: "our NBD server beside nbdkit and qemu-nbd",
  help: nbdHelp,
  run: runNbd,
  format: (json) => formatNbdResults(JSON.parse(json)),
};

async function runNbd(programArguments: readonly string[]): Promise<void> {
  const options = parseNbdOptions(programArguments);
  const progress = createProgress(process.stderr);
  const described: PlaceDescription[] = [];
  const cases: CaseFigures[] = [];
  const about = {
    bench: "nbd",
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("nbd", programArguments),
    machine: await describeMachine([...options.peers, "fio"]),
  } as const;
  // First, since it is the shortest and the one most likely to fail.
  const crowd = options.crowd ? await runCrowd(progress) : null;
  for (const name of options.places) {
    const { folder, fileBytes } = places[name];
    described.push(await describePlace(name, folder(options), fileBytes));
    cases.push(...(await runPlace(name, options, progress)));
  }
  progress.clear();
  const settings = { rounds: options.rounds, secondsPerRound: options.seconds, memoryPeakBytesGoal };
  const results: NbdResults = { ...about, ...settings, places: described, cases, crowd };
  process.stdout.write(`${formatNbdResults(results)}\n`);
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, results);
  if (options.isWhole) await publishFigures(nbdBench, results);
  else if (crowd !== null && cases.length === 0) await publishCrowd(crowd, results);
}

/** The crowd takes seconds, not a whole run: measured alone it takes its place in the published figures, with its own commit. */
async function publishCrowd(crowd: CrowdFigures, { commit, date }: NbdResults): Promise<void> {
  const published = (await publishedFigures(nbdBench)) as NbdResults | undefined;
  if (published === undefined) return;
  await publishFigures(nbdBench, { ...published, crowd: { ...crowd, measuredAlone: { commit, date } } });
}

async function runPlace(place: PlaceName, options: NbdOptions, progress: Progress): Promise<CaseFigures[]> {
  const { folder, fileBytes } = places[place];
  using data = createScratch(folder(options));
  using run = createScratch(tmpdir());
  const file = data.file("disk");
  progress.show(`${place}: writing ${fileBytes / GiB} GiB`);
  await writeNoiseFile(file, fileBytes);
  const figures: CaseFigures[] = [];
  for (const one of options.cases.filter(({ places }) => places.includes(place))) {
    figures.push(await runCase(one, { options, place, file, run, progress }));
  }
  return figures;
}

async function runCase(one: NbdCase, setting: Setting): Promise<CaseFigures> {
  const { options, place, file, run } = setting;
  await using servers = new AsyncDisposableStack();
  const running: RunningServer[] = [];
  for (const name of ["tidemark", ...options.peers] as const) {
    running.push(servers.use(await startServer(name, file, run.file(`${one.name}.${name}`))));
  }
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const turns = await interleave(running, schedule, (server, round) => takeTurn(one, setting, server, round));
  const figures: [ServerName, ServerFigures][] = [];
  for (const server of running) {
    const { memoryPeakBytes } = await server.usage();
    figures.push([server.name, figuresOf(server.name, turns.get(server) ?? [], memoryPeakBytes)]);
  }
  const [[, own], ...others] = figures as [[ServerName, ServerFigures], ...[ServerName, ServerFigures][]];
  return {
    place,
    name: one.name,
    title: one.title,
    blockBytes: one.workload.blockBytes,
    fioOptions: fioOptions(one.workload, places[place].fileBytes),
    servers: [own, ...others.map(([, other]) => other)],
    comparisons: others.map(([name, other]) => compare(own, other, one.goals[name])),
  };
}

async function takeTurn(one: NbdCase, setting: Setting, server: RunningServer, round: number): Promise<Turn> {
  const { options, place, file, run, progress } = setting;
  const which = round === 0 ? "warm-up" : `round ${round} of ${options.rounds}`;
  progress.show(`${place}: ${one.title}, ${which}, ${server.name}`);
  await places[place].beforeTurn(file);
  const before = await server.usage();
  const measurement = await runFio(one.workload, {
    uris: [server.uri],
    sizeBytes: places[place].fileBytes,
    seconds: options.seconds,
    seed: round + 1,
    reportFile: run.file("report"),
  });
  const after = await server.usage();
  return { ...measurement, cpuSeconds: after.cpuSeconds - before.cpuSeconds };
}

async function runCrowd(progress: Progress): Promise<CrowdFigures> {
  using data = createScratch("/dev/shm");
  using run = createScratch(tmpdir());
  const file = data.file("disk");
  progress.show("many connections");
  await writeNoiseFile(file, GiB);
  await using server = await startServer("tidemark", file, run.file("crowd"));
  return await measureCrowd({ socketPath: server.socketPath, sizeBytes: GiB, usage: server.usage });
}
