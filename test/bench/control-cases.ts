/** The cases of the benchmark of the control API. */
import { setTimeout as wait } from "node:timers/promises";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import type { ControlOptions } from "./control-options.ts";
import { type Looks, Watcher } from "./control-watcher.ts";
import { runFio, type Workload } from "./fio.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";
import { socketUri, startListening } from "./server.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const MiB = 1024 * 1024;
const load: Workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 };
/** What Prometheus does by itself is ten to sixty times rarer. */
const scrapeEveryMs = 1000;
const lookEveryMs = 20;
const countedScrapes = 200;
const stalledWrites = 8;

export interface ScrapeCost {
  readonly alone: readonly number[];
  readonly scraped: readonly number[];
  /** What is lost of the median rate, in percent; below zero where the machine was quicker with scrapes. */
  readonly costPercent: number;
  readonly looks: Looks;
  /** That the program takes for one, with all of its threads: what is left of the figures above when the machine is at rest. */
  readonly processorMs: number;
}

export interface StalledFigures {
  readonly healthz: Looks;
  readonly metrics: Looks;
  /** Of the other volume, meanwhile. */
  readonly iops: number;
}

type Show = (what: string) => void;

export async function measureScrapes(options: ControlOptions, show: Show): Promise<ScrapeCost> {
  using scratch = createScratch(options.folder);
  const sizeBytes = options.sizeMebibytes * MiB;
  await using tidemark = await startTidemark({
    ...{ dataFolder: scratch.file("data"), sockets: scratch, mode: "async", processes: "one" },
    volumes: [{ name: "disk", source: scratch.file("source"), sizeBytes }],
  });
  const tookMs: Looks[] = [];
  const turn = async (what: "alone" | "scraped", round: number): Promise<number> => {
    show(`scrapes: round ${round}, ${what}`);
    const watcher = what === "scraped" ? new Watcher(`${tidemark.api}/metrics`, scrapeEveryMs) : undefined;
    const iops = await loadFor(tidemark, "disk", options, { seed: round, report: scratch.file("report") });
    const looks = await watcher?.end();
    if (looks !== undefined) tookMs.push(looks);
    await tidemark.settle();
    return iops;
  };
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const series = await interleave(["alone", "scraped"] as const, schedule, turn);
  const [alone = [], scraped = []] = [series.get("alone"), series.get("scraped")];
  const costPercent = (1 - median(scraped) / median(alone)) * 100;
  return { alone, scraped, costPercent, looks: worstOf(tookMs), processorMs: await processorMsOf(tidemark) };
}

/** Many in a row, since the kernel counts in hundredths of a second. */
async function processorMsOf(tidemark: RunningTidemark): Promise<number> {
  const { cpuSeconds: before } = await tidemark.usage();
  for (let count = 0; count < countedScrapes; count++) await (await fetch(`${tidemark.api}/metrics`)).text();
  const { cpuSeconds: after } = await tidemark.usage();
  return ((after - before) / countedScrapes) * 1000;
}

function loadFor(
  tidemark: RunningTidemark,
  volume: string,
  { seconds, sizeMebibytes }: ControlOptions,
  { seed, report: reportFile }: { readonly seed: number; readonly report: string },
): Promise<number> {
  const run = { uris: [tidemark.uriOf(volume)] as const, sizeBytes: sizeMebibytes * MiB, seconds, seed, reportFile };
  return runFio(load, run).then(({ iops }) => iops);
}

/** The rounds are long enough for what is rare in one to be seen in another. */
function worstOf(all: readonly Looks[]): Looks {
  const highest = (of: (one: Looks) => number): number => Math.max(...all.map(of));
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    p50Ms: highest(({ p50Ms }) => p50Ms),
    p99Ms: highest(({ p99Ms }) => p99Ms),
    highestMs: highest(({ highestMs }) => highestMs),
  };
}

export async function measureStalled(options: ControlOptions, show: Show): Promise<StalledFigures> {
  using scratch = createScratch(options.folder);
  const sizeBytes = options.sizeMebibytes * MiB;
  const slow = scratch.file("slow");
  const delay = ["--filter=delay", "memory", `size=${sizeBytes}`, "delay-write=600"];
  await using _disk = await startListening({
    name: "nbdkit",
    command: ["nbdkit", "--foreground", "--unix", slow, ...delay],
    socket: slow,
  });
  await using tidemark = await startTidemark({
    ...{ dataFolder: scratch.file("data"), sockets: scratch, mode: "async", processes: "one" },
    volumes: [
      { name: "stalled", source: socketUri(slow) },
      { name: "disk", source: scratch.file("source"), sizeBytes },
    ],
  });
  const { address, exportName } = parseNbdUri(tidemark.uriOf("stalled"));
  const host = await connect({ address, exportName, sockets: nodeSockets, clock: nodeClock });
  // Nobody answers these before the end.
  for (let at = 0; at < stalledWrites; at++) host.write(at * 4096, Buffer.alloc(4096, 1)).catch(() => {});
  await wait(1000);
  show("stalled disk");
  const healthz = new Watcher(`${tidemark.api}/healthz`, lookEveryMs);
  const metrics = new Watcher(`${tidemark.api}/metrics`, lookEveryMs);
  const iops = await loadFor(tidemark, "disk", options, { seed: 1, report: scratch.file("report") });
  const figures = { healthz: await healthz.end(), metrics: await metrics.end(), iops };
  host.destroy();
  return figures;
}
