/**
 * How fast what a source held is brought to the remote, beside nbdcopy, which copies the same file to one beside it by way
 * of nbdkit; and what is left to a host that writes meanwhile. On the disk all begins with cold caches, and ends when all is
 * durable.
 */
import { rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { succeed } from "#test/clients/command.ts";
import {
  type BesideCopyFigures,
  type CopyTurn,
  type InitialCopyFigures,
  type InitialCopyPlace,
  initialCopyPlace,
} from "./copy-results.ts";
import { type FioMeasurement, runFio } from "./fio.ts";
import { fullBytesOf, writeHalfFullSource } from "./half-full-source.ts";
import { dropCaches } from "./page-cache.ts";
import { besideCopyGoal, folderOf, initialCopyGoal, type PlaceName, placeNames } from "./path-cases.ts";
import type { PathOptions } from "./path-options.ts";
import { syncFileSystem } from "./path-turn.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { compareRates } from "./rate-comparison.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { startServer } from "./server.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";
import { warmMemory } from "./warm-memory.ts";

const GiB = 1024 ** 3;
const copyMsMax = 600_000;
/** What the spool may have by itself. */
const spoolBytes = 4 * GiB;
const peer = "nbdcopy to nbdkit";
const volume = "bench";
const workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 } as const;
const warmUpSeconds = 3;
const secondsMin = 4;
/** More than a host has ever written here. */
const hostBytesPerSecond = 0.6 * GiB;

export async function measureInitialCopy(options: PathOptions, progress: Progress): Promise<InitialCopyFigures> {
  const { copiedBytes: sourceBytes } = options;
  const places: InitialCopyPlace[] = [];
  for (const place of placeNames) places.push(await measurePlace(place, options, progress));
  return { sourceBytes, dataBytes: sourceBytes / 2, peer, places };
}

async function measurePlace(place: PlaceName, options: PathOptions, progress: Progress): Promise<InitialCopyPlace> {
  const { copiedBytes: sourceBytes, rounds } = options;
  const folder = folderOf(place, options.diskFolder);
  // The source and the journal, of which each has the data.
  await requireRoom(folder, sourceBytes + spoolBytes);
  using scratch = createScratch(folder);
  progress.show(`initial copy: writing ${sourceBytes / 2 / GiB} GiB`);
  await writeHalfFullSource(scratch.file("disk"), sourceBytes);
  const ground = { place, scratch, sourceBytes };
  const series = await interleave(["own", "peer"] as const, { rounds, warmUpRounds: 0 }, async (name, round) => {
    progress.show(`initial copy, ${place}: round ${round + 1} of ${rounds}, ${name === "own" ? "tidemark" : peer}`);
    return name === "own" ? copyByOurselves(ground) : copyByPeer(ground);
  });
  const about = { place, dataBytes: sourceBytes / 2, goal: initialCopyGoal };
  return initialCopyPlace(about, series.get("own") ?? [], series.get("peer") ?? []);
}

interface CopyGround {
  readonly place: PlaceName;
  readonly scratch: Scratch;
  readonly sourceBytes: number;
}

/** From when the volume is asked for until the remote has all durably, and the volume has points. */
async function copyByOurselves(ground: CopyGround): Promise<CopyTurn> {
  const { scratch } = ground;
  using sockets = createScratch(tmpdir());
  await using tidemark = await startEmpty(scratch, sockets);
  await coldAgain(ground);
  const before = await tidemark.usage();
  const began = performance.now();
  await tidemark.add({ name: volume, source: scratch.file("disk") });
  await tidemark.copied();
  const seconds = (performance.now() - began) / 1000;
  const { cpuSeconds, writtenBytes } = await tidemark.usage();
  return {
    seconds,
    cpuSeconds: cpuSeconds - before.cpuSeconds,
    writtenBytes: writtenBytes - before.writtenBytes,
  };
}

function startEmpty(scratch: Scratch, sockets: Scratch): Promise<RunningTidemark> {
  const dataFolder = scratch.file("data");
  return startTidemark({ dataFolder, sockets, mode: "async", volumes: [], processes: "one" });
}

/** To a new file, which nbdcopy is told to be empty; it ends with a FLUSH. */
async function copyByPeer(ground: CopyGround): Promise<CopyTurn> {
  const { scratch, sourceBytes } = ground;
  const target = scratch.file("copy");
  await writeFile(target, "");
  await truncate(target, sourceBytes);
  using sockets = createScratch(tmpdir());
  try {
    await using server = await startServer("nbdkit", target, sockets.file("nbdkit"));
    await coldAgain(ground);
    const began = performance.now();
    const options = ["--flush", "--target-is-zero", scratch.file("disk"), server.uri];
    await succeed("nbdcopy", options, { timeoutMs: copyMsMax });
    return { seconds: (performance.now() - began) / 1000 };
  } finally {
    await rm(target);
  }
}

/** The caches are cold, the memory is not: as much as the data of the source and its copy. */
async function coldAgain({ place, scratch, sourceBytes }: CopyGround): Promise<void> {
  if (place === "disk") {
    await syncFileSystem(scratch.path);
    await dropCaches(scratch.file("disk"));
  }
  await warmMemory(sourceBytes);
}

interface HostTurn {
  readonly beside: FioMeasurement;
  readonly alone: FioMeasurement;
  readonly copiedBytesPerSecond: number;
}

export async function measureBesideCopy(options: PathOptions, progress: Progress): Promise<BesideCopyFigures> {
  const { copiedBytes: sourceBytes, diskFolder, rounds } = options;
  const seconds = Math.max(secondsMin, options.seconds);
  await requireRoom(diskFolder, sourceBytes + spoolBytes + 2 * (seconds + warmUpSeconds) * hostBytesPerSecond);
  using scratch = createScratch(diskFolder);
  progress.show(`beside the copy: writing ${sourceBytes / 2 / GiB} GiB`);
  await writeHalfFullSource(scratch.file("disk"), sourceBytes);
  const turns: HostTurn[] = [];
  for (let round = 0; round < rounds; round++) {
    progress.show(`beside the copy: round ${round + 1} of ${rounds}`);
    turns.push(await writeBesideCopy(scratch, { sourceBytes, seconds, round }));
  }
  const series = (pick: (turn: HostTurn) => number) => turns.map(pick);
  const middle = (pick: (turn: HostTurn) => number) => median(series(pick));
  const besideIops = series(({ beside }) => beside.iops);
  const aloneIops = series(({ alone }) => alone.iops);
  return {
    ...{ sourceBytes, dataBytes: sourceBytes / 2, seconds, besideIops, aloneIops },
    besideLatencyP50Us: middle(({ beside }) => beside.latencyP50Us),
    besideLatencyP999Us: middle(({ beside }) => beside.latencyP999Us),
    aloneLatencyP50Us: middle(({ alone }) => alone.latencyP50Us),
    aloneLatencyP999Us: middle(({ alone }) => alone.latencyP999Us),
    copiedBytesPerSecond: middle((turn) => turn.copiedBytesPerSecond),
    comparison: compareRates(besideIops, aloneIops, besideCopyGoal),
  };
}

/** The same volume twice: while what it held is copied, and when that is done. Only where there are no holes. */
async function writeBesideCopy(
  scratch: Scratch,
  plan: { readonly sourceBytes: number; readonly seconds: number; readonly round: number },
): Promise<HostTurn> {
  using sockets = createScratch(tmpdir());
  await using tidemark = await startEmpty(scratch, sockets);
  await coldAgain({ place: "disk", scratch, sourceBytes: plan.sourceBytes });
  const uri = tidemark.uriOf(volume);
  const run = { uris: [uri], sizeBytes: fullBytesOf(plan.sourceBytes), reportFile: sockets.file("report") } as const;
  const write = async (seed: number): Promise<FioMeasurement> => {
    await runFio(workload, { ...run, seconds: warmUpSeconds, seed: 2 * seed });
    return runFio(workload, { ...run, seconds: plan.seconds, seed: 2 * seed + 1 });
  };
  await tidemark.add({ name: volume, source: scratch.file("disk") });
  const began = performance.now();
  const beside = await write(2 * plan.round);
  const passedBytes = await bytesPassed(tidemark);
  const copiedBytesPerSecond = (passedBytes * 1000) / (performance.now() - began);
  await tidemark.copied();
  await syncFileSystem(scratch.path);
  const alone = await write(2 * plan.round + 1);
  await tidemark.settle();
  await tidemark.check();
  return { beside, alone, copiedBytesPerSecond };
}

async function bytesPassed(tidemark: RunningTidemark): Promise<number> {
  const [one] = await tidemark.volumes();
  if (one?.copy === undefined) throw new Error("the copy was over before the host was: it needs a larger source");
  return one.copy.bytesDone;
}
