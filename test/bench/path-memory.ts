/**
 * Anonymous memory of all roles together: a huge volume under full load, and with a remote appliance that neither answers
 * nor hangs up, so that all that can pile up does.
 */
import { tmpdir } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type FioMeasurement, runFio } from "./fio.ts";
import { anonymousBytesGoal } from "./path-cases.ts";
import type { PathOptions } from "./path-options.ts";
import type { MemoryFigures, MemoryLoad } from "./path-results.ts";
import { requireRoom } from "./place.ts";
import { totalUsage } from "./process-usage.ts";
import type { Progress } from "./progress.ts";
import { createScratch } from "./scratch.ts";
import { type RunningTidemark, startTidemark, type TidemarkSetup } from "./tidemark.ts";

const GiB = 1024 ** 3;
const volumeBytes = 1024 * GiB;
const secondsDefault = 15;
/** Of a shorter run. */
const secondsPerRoundSecond = 10;
/** Each look is at all processes of the machine. */
const sampleEveryMs = 200;
/** In memory: a file system on a disk takes minutes to give back a million pieces of a file that is mostly hole. */
const sourceFolder = "/dev/shm";
const sourceRoomBytes = 12 * GiB;
/** For spool and journals. */
const dataRoomBytes = 16 * GiB;
const workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 } as const;

interface Load {
  readonly title: string;
  readonly processes: TidemarkSetup["processes"];
  readonly isLinkStopped: boolean;
}

const loads: readonly Load[] = [
  { title: "all roles in one process, full load", processes: "one", isLinkStopped: false },
  { title: "each role in its own, full load", processes: "one per role", isLinkStopped: false },
  { title: "each role in its own, link stopped", processes: "one per role", isLinkStopped: true },
];

export async function measureMemory(options: PathOptions, progress: Progress): Promise<MemoryFigures> {
  await requireRoom(sourceFolder, sourceRoomBytes);
  await requireRoom(options.diskFolder, dataRoomBytes);
  const seconds = Math.min(secondsDefault, options.seconds * secondsPerRoundSecond);
  const figures: MemoryLoad[] = [];
  for (const load of loads) {
    progress.show(`memory: ${load.title}`);
    figures.push(await measureLoad(load, options.diskFolder, seconds));
  }
  return { volumeBytes, seconds, goalBytes: anonymousBytesGoal, loads: figures };
}

async function measureLoad(load: Load, folder: string, seconds: number): Promise<MemoryLoad> {
  using source = createScratch(sourceFolder);
  using data = createScratch(folder);
  using sockets = createScratch(tmpdir());
  await using tidemark = await startTidemark({
    dataFolder: data.file("data"),
    sockets,
    mode: "async",
    volumes: [{ name: "bench", source: source.file("disk"), sizeBytes: volumeBytes }],
    processes: load.processes,
  });
  const idle = await anonymousBytes(tidemark);
  const run = { uris: tidemark.uris, sizeBytes: volumeBytes, seconds, seed: 1, reportFile: sockets.file("report") };
  const { measurement, peak, lagBytes } = load.isLinkStopped
    ? await withRemoteStopped(tidemark, () => sampled(tidemark, runFio(workload, run), seconds))
    : await sampled(tidemark, runFio(workload, run), seconds);
  const processes = [...idle].map(([name, idleBytes]) => ({ name, idleBytes, peakBytes: peak.get(name) ?? 0 }));
  const peakBytes = sum(peak);
  const { iops } = await measurement;
  return { title: load.title, iops, lagBytes, processes, peakBytes, met: peakBytes <= anonymousBytesGoal };
}

interface Sampled {
  /** Ends later where the last writes wait for the remote. */
  readonly measurement: Promise<FioMeasurement>;
  /** When it was most of all together. */
  readonly peak: ReadonlyMap<string, number>;
  readonly lagBytes: number;
}

async function sampled(
  tidemark: RunningTidemark,
  measurement: Promise<FioMeasurement>,
  seconds: number,
): Promise<Sampled> {
  measurement.catch(() => {});
  let peak: ReadonlyMap<string, number> = new Map();
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    const now = await anonymousBytes(tidemark);
    if (sum(now) > sum(peak)) peak = now;
    await wait(sampleEveryMs);
  }
  const { groups } = await tidemark.status();
  return { measurement, peak, lagBytes: groups.reduce((total, group) => total + group.lagBytes, 0) };
}

async function withRemoteStopped<Result>(tidemark: RunningTidemark, act: () => Promise<Result>): Promise<Result> {
  const { remote } = tidemark.processIds;
  if (remote === undefined) throw new Error("the remote appliance has no process of its own");
  process.kill(remote, "SIGSTOP");
  try {
    return await act();
  } finally {
    process.kill(remote, "SIGCONT");
  }
}

async function anonymousBytes({ processIds }: RunningTidemark): Promise<ReadonlyMap<string, number>> {
  const pairs = Object.entries(processIds).map(async ([name, id]) => {
    return [name, (await totalUsage([id])).anonymousBytes] as const;
  });
  return new Map(await Promise.all(pairs));
}

function sum(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((total, one) => total + one, 0);
}
