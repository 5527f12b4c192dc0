/** The load of a host that is at work and not at its limits: several jobs of fio's, each with a connection and a rate of its own. */
import { readFile } from "node:fs/promises";
import { succeed } from "#test/clients/command.ts";
import { type FioLatencies, type FioReport, latenciesOf, latencyOptions } from "./fio-report.ts";

const KiB = 1024;

export interface LoadJob {
  readonly name: string;
  readonly blockBytes: number;
  readonly depth: number;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  readonly trimsPerSecond: number;
  /** A FLUSH after so many writes. */
  readonly writesPerFlush?: number;
  /** Shares of requests and of the volume, in fio's words. */
  readonly zones?: string;
}

/** A share of two processors each, so that nothing is held up by anything but itself. */
export const loadJobs: readonly LoadJob[] = [
  {
    ...{ name: "small", blockBytes: 4 * KiB, depth: 8, readsPerSecond: 500, writesPerSecond: 1500, trimsPerSecond: 0 },
    ...{ writesPerFlush: 64, zones: "80/10:20/90" },
  },
  {
    ...{ name: "large", blockBytes: 64 * KiB, depth: 2, readsPerSecond: 15, writesPerSecond: 30, trimsPerSecond: 0 },
    writesPerFlush: 16,
  },
  { name: "trims", blockBytes: 64 * KiB, depth: 1, readsPerSecond: 0, writesPerSecond: 0, trimsPerSecond: 5 },
];

/** Half of each buffer can be compressed away, and one in ten has been there before. */
const content = ["--refill_buffers", "--buffer_compress_percentage=50", "--dedupe_percentage=10"];
/** For starting, connecting and reporting. */
const overheadMsMax = 120_000;

export interface LoadRun {
  readonly uri: string;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly reportFile: string;
}

/** What the host has got of a job, over all of the time. The latencies are those of its writes; absent where it has none. */
export interface JobFigures extends Partial<FioLatencies> {
  readonly name: string;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  readonly trimsPerSecond: number;
}

export async function runLoad(run: LoadRun): Promise<JobFigures[]> {
  await succeed("fio", loadArguments(run), { timeoutMs: run.seconds * 1000 + overheadMsMax });
  return parseLoadReport(await readFile(run.reportFile, "utf8"));
}

export function loadArguments({ uri, sizeBytes, seconds, reportFile }: LoadRun): string[] {
  return [
    ...["--output-format=json", `--output=${reportFile}`, "--ioengine=nbd", `--uri=${uri}`, `--size=${sizeBytes}`],
    ...["--time_based", `--runtime=${seconds}`, "--norandommap", "--randseed=1", ...content],
    ...latencyOptions,
    ...loadJobs.flatMap((job) => [`--name=${job.name}`, ...jobOptions(job)]),
  ];
}

function jobOptions(job: LoadJob): string[] {
  return [
    `--bs=${job.blockBytes}`,
    `--iodepth=${job.depth}`,
    ...accessOf(job),
    ...(job.writesPerFlush === undefined ? [] : [`--fsync=${job.writesPerFlush}`]),
    ...(job.zones === undefined ? [] : [`--random_distribution=zoned:${job.zones}`]),
  ];
}

function accessOf({ readsPerSecond, writesPerSecond, trimsPerSecond }: LoadJob): string[] {
  if (trimsPerSecond > 0) return ["--rw=randtrim", `--rate_iops=${trimsPerSecond}`];
  const share = Math.round((100 * readsPerSecond) / (readsPerSecond + writesPerSecond));
  return ["--rw=randrw", `--rwmixread=${share}`, `--rate_iops=${readsPerSecond},${writesPerSecond}`];
}

export function parseLoadReport(text: string): JobFigures[] {
  const { jobs }: FioReport = JSON.parse(text);
  return jobs.map(({ jobname, error, read, write, trim }) => {
    if (error !== 0) throw new Error(`fio's job ${jobname} met error ${error}`);
    const rates = { readsPerSecond: read.iops, writesPerSecond: write.iops, trimsPerSecond: trim.iops };
    const hasLatencies = write.total_ios > 0 && write.lat_ns.percentile !== undefined;
    return { name: jobname, ...rates, ...(hasLatencies ? latenciesOf(write) : {}) };
  });
}

/** A line for each job, in words. */
export function loadWords(jobs: readonly LoadJob[]): string[] {
  return jobs.map((job) => {
    const { blockBytes, depth, readsPerSecond, writesPerSecond, trimsPerSecond, writesPerFlush, zones } = job;
    const counts = [
      ...(readsPerSecond > 0 ? [`${readsPerSecond} reads`] : []),
      ...(writesPerSecond > 0 ? [`${writesPerSecond} writes`] : []),
      ...(trimsPerSecond > 0 ? [`${trimsPerSecond} trims`] : []),
    ];
    const flush = writesPerFlush === undefined ? "" : `, a FLUSH after every ${writesPerFlush} writes`;
    return `${counts.join(" and ")} of ${blockBytes / KiB} KiB a second at depth ${depth}, ${placesOf(zones)}${flush}`;
  });
}

function placesOf(zones: string | undefined): string {
  const [requests, volume] = zones?.split(":")[0]?.split("/") ?? [];
  return requests === undefined ? "anywhere" : `${requests} % of them in ${volume} % of the volume`;
}
