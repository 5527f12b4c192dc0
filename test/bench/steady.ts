/** `npm run bench -- steady`: whether anything grows that should not, while the same load goes on and on. */
import { tmpdir } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { describeCommand, describeCommit, describeMachine, fileSystemOf } from "./machine.ts";
import { requireRoom } from "./place.ts";
import { endAllAtExit } from "./process-tree.ts";
import { createProgress, type Progress } from "./progress.ts";
import { publishFigures, writeJson } from "./publication.ts";
import { createScratch, type Scratch, writeNoiseFile } from "./scratch.ts";
import { type JobFigures, loadJobs, runLoad } from "./steady-load.ts";
import { type SteadyOptions, type SteadySpans, spansOf, steadyHelp, steadyOptions } from "./steady-options.ts";
import { drawSteady, formatSteady, type SteadyResults } from "./steady-report.ts";
import { SteadySampler, type SteadyWorks } from "./steady-sampler.ts";
import { columnsOf, type Sample } from "./steady-series.ts";
import { lookAtPoints, type ViewsFigures } from "./steady-views.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const MiB = 2 ** 20;
const GiB = 1024 * MiB;
const volume = "disk";
/** Clients connect, and what is compiled first is compiled. */
const rampSeconds = 5;
/** What history and spool take beside the source. */
const roomBytes = ({ minutes, sizeMebibytes }: SteadyOptions) =>
  8 * GiB + minutes * 100 * MiB + 2 * sizeMebibytes * MiB;

export const steadyBench: Bench = {
  name: "steady",
  summary: "whether memory, latencies, lag and the store stay flat under a steady load, for an hour",
  help: steadyHelp,
  run: runSteady,
  format: (json) => formatSteady(JSON.parse(json) as SteadyResults),
  picture: (json) => drawSteady(JSON.parse(json) as SteadyResults),
};

async function runSteady(programArguments: readonly string[]): Promise<void> {
  const options = steadyOptions(programArguments);
  const progress = createProgress(process.stderr);
  const about = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("steady", programArguments),
    machine: await describeMachine(["fio"]),
  };
  const spans = spansOf(options.minutes);
  const measured = await measure(options, spans, progress);
  progress.clear();
  const { minutes, sizeMebibytes } = options;
  const setting = { minutes, sizeMebibytes, spans, load: loadJobs };
  const results: SteadyResults = { bench: "steady", ...about, ...setting, ...measured };
  process.stdout.write(`${formatSteady(results)}\n`);
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, results);
  if (options.isPublished) await publishFigures(steadyBench, results);
}

type Measured = Pick<SteadyResults, "fileSystem" | "host" | "works" | "views" | "atSeconds" | "samples">;

async function measure(options: SteadyOptions, spans: SteadySpans, progress: Progress): Promise<Measured> {
  const { folder, sizeMebibytes } = options;
  using _ending = endAllAtExit();
  using scratch = createScratch(folder);
  using sockets = createScratch(tmpdir());
  await requireRoom(folder, roomBytes(options));
  progress.show(`writing ${sizeMebibytes} MiB, and the first copy of them`);
  await writeNoiseFile(scratch.file("source"), sizeMebibytes * MiB);
  await using tidemark = await startTidemark(setupOf(scratch, sockets, spans));
  const { host, works, views, samples, atSeconds } = await watch(tidemark, options, { spans, sockets, progress });
  await tidemark.check();
  progress.show("until the remote has all");
  await tidemark.settle();
  return { fileSystem: await fileSystemOf(folder), host, works, views, atSeconds, samples: columnsOf(samples) };
}

function setupOf(scratch: Scratch, sockets: Scratch, spans: SteadySpans) {
  const store = {
    sealAfterSeconds: spans.sealAfter,
    // Sealing is to go on beside the load, and not to wait for its end.
    sealBehind: 0,
    snapshots: { everySeconds: spans.snapshots },
    retention: { keepSeconds: spans.keep, levels: spans.levels },
    collect: { everySeconds: spans.collect, graceSeconds: spans.grace },
  };
  return {
    dataFolder: scratch.file("data"),
    sockets,
    mode: "async",
    processes: "one per role",
    volumes: [{ name: volume, source: scratch.file("source") }],
    settings: { store, views: { listen: sockets.file("views") } },
  } as const;
}

interface Watched {
  readonly host: readonly JobFigures[];
  readonly works: SteadyWorks;
  readonly views: ViewsFigures;
  readonly samples: readonly Sample[];
  readonly atSeconds: readonly number[];
}

interface Surroundings {
  readonly spans: SteadySpans;
  readonly sockets: Scratch;
  readonly progress: Progress;
}

async function watch(tidemark: RunningTidemark, options: SteadyOptions, around: Surroundings): Promise<Watched> {
  const { spans, sockets } = around;
  const seconds = options.minutes * 60;
  const sizeBytes = options.sizeMebibytes * MiB;
  const over = new AbortController();
  const api = `${tidemark.apis.remote}/api/v1`;
  // It outlasts the last sample.
  const loadSeconds = rampSeconds + seconds + spans.samples;
  const load = runLoad({
    uri: tidemark.uriOf(volume),
    sizeBytes,
    seconds: loadSeconds,
    reportFile: sockets.file("report"),
  });
  const views = lookAtPoints({ api, volume, sizeBytes, everySeconds: spans.views, over: over.signal });
  // Whoever of them fails ends the whole.
  const failure = new Promise<never>((_, reject) => {
    for (const one of [load, views]) one.catch(reject);
  });
  failure.catch(() => {});
  try {
    const { samples, atSeconds, works } = await Promise.race([failure, sampled(tidemark, seconds, around)]);
    over.abort();
    around.progress.show("until the load has ended");
    return { host: await load, views: await views, works, samples, atSeconds };
  } finally {
    over.abort();
  }
}

async function sampled(tidemark: RunningTidemark, seconds: number, { spans, progress }: Surroundings) {
  await wait(rampSeconds * 1000);
  const sampler = await SteadySampler.begin(tidemark);
  const began = performance.now();
  const samples: Sample[] = [];
  const atSeconds: number[] = [];
  for (let at = spans.samples; at <= seconds; at += spans.samples) {
    await wait(Math.max(0, began + at * 1000 - performance.now()));
    samples.push(await sampler.sample());
    atSeconds.push(at);
    progress.show(progressWords(at, seconds, samples.at(-1) as Sample));
  }
  return { samples, atSeconds, works: sampler.works };
}

function progressWords(at: number, seconds: number, sample: Sample): string {
  const figure = (name: string, digits: number) => sample[name]?.toFixed(digits) ?? "?";
  return (
    `${Math.floor(at / 60)} of ${seconds / 60} minutes: ${figure("writes", 0)} writes/s, p99 ${figure("writeP99", 1)} ms, ` +
    `lag ${figure("lagSeconds", 1)} s, store ${figure("storePhysical", 0)} MiB`
  );
}
