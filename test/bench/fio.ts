/** One run of fio's nbd engine against a server, and what it reports. */
import { readFile } from "node:fs/promises";
import { succeed } from "#test/clients/command.ts";
import { type FioLatencies, type FioReport, latenciesOf, latencyOptions } from "./fio-report.ts";

export interface Workload {
  readonly access: "randread" | "randwrite" | "randtrim" | "read" | "write";
  readonly blockBytes: number;
  /** Requests in flight, on each connection. */
  readonly depth: number;
  readonly connections: number;
  /** A FLUSH after so many writes. */
  readonly writesPerFlush?: number;
  /** How random places are spread, in fio's words: shares of requests and of the volume. */
  readonly zones?: string;
  /** At most. */
  readonly bytesPerSecond?: number;
  /** Where the volume's part that is written begins, and how far apart writes in sequence are. */
  readonly offsetBytes?: number;
  readonly strideBytes?: number;
  /** Ends after so many. */
  readonly writesMax?: number;
  /** Ends after so much, with a FLUSH; otherwise with the time alone. */
  readonly bytesMax?: number;
}

export interface FioRun {
  /** Each has `connections` of its own. */
  readonly uris: readonly [string, ...string[]];
  readonly sizeBytes: number;
  readonly seconds: number;
  /** Decides the places of random requests: the same for all servers of one round. */
  readonly seed: number;
  readonly reportFile: string;
}

export interface FioMeasurement extends FioLatencies {
  readonly iops: number;
  readonly ioCount: number;
}

/** For starting, connecting and reporting, besides the time that is measured. */
const overheadMsMax = 60_000;

export async function runFio(workload: Workload, run: FioRun): Promise<FioMeasurement> {
  const programArguments = [
    "--output-format=json",
    `--output=${run.reportFile}`,
    "--ioengine=nbd",
    `--randseed=${run.seed}`,
    `--runtime=${run.seconds}`,
    ...fioOptions(workload, run.sizeBytes),
    ...run.uris.flatMap((uri, index) => [`--name=bench${index}`, `--uri=${uri}`]),
  ];
  await succeed("fio", programArguments, { timeoutMs: run.seconds * 1000 + overheadMsMax });
  return parseFioReport(await readFile(run.reportFile, "utf8"));
}

/** What is asked of every server alike. */
export function fioOptions(workload: Workload, sizeBytes: number): string[] {
  return [
    `--rw=${accessOf(workload)}`,
    `--bs=${workload.blockBytes}`,
    `--iodepth=${workload.depth}`,
    `--numjobs=${workload.connections}`,
    `--size=${sizeBytes}`,
    ...(workload.writesPerFlush === undefined ? [] : [`--fsync=${workload.writesPerFlush}`]),
    ...(workload.offsetBytes === undefined ? [] : [`--offset=${workload.offsetBytes}`]),
    ...(workload.writesMax === undefined ? [] : [`--number_ios=${workload.writesMax}`]),
    ...endOf(workload),
    ...(workload.zones === undefined ? [] : [`--random_distribution=zoned:${workload.zones}`]),
    ...(workload.bytesPerSecond === undefined ? [] : [`--rate=${workload.bytesPerSecond}`]),
    "--norandommap",
    "--group_reporting",
    ...latencyOptions,
  ];
}

/** To fio a stride is what is left out behind each. */
function accessOf({ access, strideBytes, blockBytes }: Workload): string {
  return strideBytes === undefined ? access : `${access}:${strideBytes - blockBytes}`;
}

function endOf({ bytesMax, writesMax }: Workload): string[] {
  if (bytesMax !== undefined) return [`--io_size=${bytesMax}`, "--end_fsync=1"];
  return writesMax === undefined ? ["--time_based"] : [];
}

export function parseFioReport(text: string): FioMeasurement {
  const report: FioReport = JSON.parse(text);
  const [job, ...others] = report.jobs;
  if (job === undefined || others.length > 0) throw new Error(`fio reports ${report.jobs.length} groups, not one`);
  if (job.error !== 0) throw new Error(`fio met error ${job.error}`);
  const direction = [job.read, job.write, job.trim].find(({ total_ios }) => total_ios > 0);
  if (direction === undefined) throw new Error("fio got nothing done");
  return {
    iops: direction.iops,
    ioCount: direction.total_ios,
    ...latenciesOf(direction),
  };
}
