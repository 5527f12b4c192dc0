/**
 * What the region map costs: the same program, once as it is and once with a map that does nothing (`without-region-map`).
 * Warm, both are there at the same time and written to in turn, since what is looked for is less than what two starts of a
 * program differ by. Cold, every write comes to a region that is not marked, and has to wait until it is.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FioMeasurement, runFio, type Workload } from "./fio.ts";
import { regionMapGoal } from "./path-cases.ts";
import type { PathOptions } from "./path-options.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import {
  type ColdLoad,
  type ColdRegionsFigures,
  type MapTurn,
  mapRates,
  type RegionMapFigures,
  type WarmRegionsFigures,
  warmRegionsFigures,
} from "./region-map-results.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const memoryFolder = "/dev/shm";
const withoutMap = join(import.meta.dirname, "without-region-map.ts");
const variants = ["with", "without"] as const;
type Variant = (typeof variants)[number];

export async function measureRegionMap(options: PathOptions, progress: Progress): Promise<RegionMapFigures> {
  return { warm: await measureWarm(options, progress), cold: await measureCold(options, progress) };
}

function preloadedFor(variant: Variant): readonly string[] {
  return variant === "with" ? [] : [withoutMap];
}

// All regions are marked

const warmVolumeBytes = GiB;
const warmSeconds = 1;
/** Short and many. */
const warmRoundsPerRound = 4;
const warmUpSeconds = 3;
const random = { access: "randwrite", blockBytes: 4 * KiB, depth: 32, connections: 1 } as const;
const fill = { ...random, access: "write", blockBytes: 128 * KiB, bytesMax: warmVolumeBytes } as const;
const fillSecondsMax = 60;
/** More than was ever written here, kept by spool and journal. */
const keptBytesPerSecond = 0.5 * GiB;

async function measureWarm(options: PathOptions, progress: Progress): Promise<WarmRegionsFigures> {
  const rounds = warmRoundsPerRound * options.rounds;
  const writtenSeconds = 2 * (warmUpSeconds + rounds * warmSeconds);
  await requireRoom(memoryFolder, 4 * warmVolumeBytes + writtenSeconds * keptBytesPerSecond);
  using scratch = createScratch(memoryFolder);
  await using stack = new AsyncDisposableStack();
  const write = new Map<Variant, (seconds: number, seed: number) => Promise<MapTurn>>();
  for (const variant of variants) {
    progress.show(`region map: starting ${variant} it`);
    const sockets = stack.use(createScratch(tmpdir()));
    const tidemark = stack.use(
      await startTidemark({
        ...{ dataFolder: scratch.file(`data-${variant}`), sockets, mode: "async", processes: "one" },
        // Empty, so that no copy has marked its regions.
        volumes: [{ name: "bench", source: scratch.file(variant), sizeBytes: warmVolumeBytes }],
        preloaded: preloadedFor(variant),
      }),
    );
    const run = { uris: tidemark.uris, sizeBytes: warmVolumeBytes, reportFile: sockets.file("report") };
    await takeTurn(tidemark, () => runFio(fill, { ...run, seconds: fillSecondsMax, seed: 1 }));
    const turn = (seconds: number, seed: number) => takeTurn(tidemark, () => runFio(random, { ...run, seconds, seed }));
    await turn(warmUpSeconds, 1);
    await requireMarks(tidemark, variant === "with" ? warmVolumeBytes : 0);
    write.set(variant, turn);
  }
  const series = await interleave(variants, { rounds, warmUpRounds: 1 }, (variant, round) => {
    progress.show(`region map: warm, round ${round} of ${rounds}, ${variant} it`);
    return write.get(variant)?.(warmSeconds, round + 2) as Promise<MapTurn>;
  });
  const about = { volumeBytes: warmVolumeBytes, seconds: warmSeconds, goal: regionMapGoal };
  return warmRegionsFigures(about, series.get("with") ?? [], series.get("without") ?? []);
}

async function takeTurn(tidemark: RunningTidemark, write: () => Promise<FioMeasurement>): Promise<MapTurn> {
  const before = await tidemark.usage();
  const measured = await write();
  await tidemark.settle();
  const { cpuSeconds } = await tidemark.usage();
  await tidemark.check();
  return { ...measured, cpuSeconds: cpuSeconds - before.cpuSeconds };
}

/** Otherwise something else was measured than it is called. */
async function requireMarks(tidemark: RunningTidemark, bytes: number): Promise<void> {
  const [volume] = await tidemark.volumes();
  if (volume?.markedBytes === bytes) return;
  throw new Error(`${volume?.markedBytes} bytes of the volume are marked, and not ${bytes}`);
}

// Every write needs a mark

const coldVolumeBytes = 1024 * GiB;
const regionBytes = 16 * MiB;
/** With a region those behind it are marked. */
const coldStrideBytes = 17 * regionBytes;
/** Beyond what the warm-up has marked. */
const coldOffsetBytes = 64 * regionBytes;
const coldWrites = Math.floor((coldVolumeBytes - coldOffsetBytes) / coldStrideBytes);
const coldWarmUpSeconds = 2;
const coldSecondsMax = 60;
const coldDepths = [1, 32] as const;

async function measureCold(options: PathOptions, progress: Progress): Promise<ColdRegionsFigures> {
  const loads: ColdLoad[] = [];
  for (const depth of coldDepths) {
    const schedule = { rounds: options.rounds, warmUpRounds: 0 };
    const series = await interleave(variants, schedule, async (variant, round) => {
      progress.show(`region map: cold, depth ${depth}, round ${round + 1} of ${options.rounds}, ${variant} it`);
      return takeColdTurn(variant, depth, options.diskFolder);
    });
    loads.push({ depth, with: mapRates(series.get("with") ?? []), without: mapRates(series.get("without") ?? []) });
  }
  return { volumeBytes: coldVolumeBytes, regionBytes, writes: coldWrites, loads };
}

/** The source is in memory, the map's file on the disk. */
async function takeColdTurn(variant: Variant, depth: number, diskFolder: string): Promise<MapTurn> {
  using source = createScratch(memoryFolder);
  using data = createScratch(diskFolder);
  using sockets = createScratch(tmpdir());
  await using tidemark = await startCold(variant, { source, data, sockets });
  const run = { uris: tidemark.uris, seed: 1, reportFile: sockets.file("report") };
  await runFio(random, { ...run, sizeBytes: regionBytes, seconds: coldWarmUpSeconds });
  await tidemark.settle();
  const workload: Workload = {
    ...{ access: "write", blockBytes: 4 * KiB, depth, connections: 1 },
    ...{ offsetBytes: coldOffsetBytes, strideBytes: coldStrideBytes, writesMax: coldWrites },
  };
  const sizeBytes = coldVolumeBytes - coldOffsetBytes;
  const turn = await takeTurn(tidemark, () => runFio(workload, { ...run, sizeBytes, seconds: coldSecondsMax }));
  if (turn.ioCount !== coldWrites) throw new Error(`${turn.ioCount} writes were made, and not ${coldWrites}`);
  const [volume] = await tidemark.volumes();
  const wasCold = (volume?.markedBytes ?? 0) >= coldWrites * coldStrideBytes;
  if (wasCold !== (variant === "with")) throw new Error(`${volume?.markedBytes} bytes of the volume are marked`);
  return turn;
}

function startCold(
  variant: Variant,
  { source, data, sockets }: { source: Scratch; data: Scratch; sockets: Scratch },
): Promise<RunningTidemark> {
  return startTidemark({
    ...{ dataFolder: data.file("data"), sockets, mode: "async", processes: "one" },
    volumes: [{ name: "bench", source: source.file("disk"), sizeBytes: coldVolumeBytes }],
    preloaded: preloadedFor(variant),
  });
}
