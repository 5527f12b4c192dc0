/** What a steady load came to, in words, a table and a picture. */
import type { Machine } from "./machine.ts";
import { table, wrapped } from "./markdown.ts";
import { aboutRun } from "./provenance.ts";
import { round } from "./rounding.ts";
import { median } from "./rounds.ts";
import { type JobFigures, type LoadJob, loadWords } from "./steady-load.ts";
import type { SteadySpans } from "./steady-options.ts";
import type { SteadyWorks } from "./steady-sampler.ts";
import { boundWords, type Columns, processNames, shown, type Verdict, verdictsOn } from "./steady-series.ts";
import type { ViewsFigures } from "./steady-views.ts";
import { type Chart, drawCharts } from "./time-charts.ts";

const MiB = 2 ** 20;

export interface SteadyResults {
  readonly bench: "steady";
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly minutes: number;
  readonly sizeMebibytes: number;
  readonly fileSystem: string;
  readonly spans: SteadySpans;
  readonly load: readonly LoadJob[];
  readonly host: readonly JobFigures[];
  readonly works: SteadyWorks;
  readonly views: ViewsFigures;
  /** When each sample was taken, since the first. */
  readonly atSeconds: readonly number[];
  readonly samples: Columns;
}

export function formatSteady(results: SteadyResults): string {
  const verdicts = verdictsOn(results.samples);
  const picture =
    "![Each of these figures over the time of the run; the quarters that are compared are shaded.](images/steady.svg)";
  return [
    aboutRun(results),
    wrapped(settingWords(results)),
    results.host.map((job, index) => item(hostWords(job, loadWords(results.load)[index] ?? ""))).join("\n"),
    wrapped(worksWords(results)),
    goalWords(verdicts),
    verdictTable(verdicts),
    picture,
  ].join("\n\n");
}

/** Of a list. */
function item(words: string): string {
  return wrapped(`- ${words}`).replaceAll("\n", "\n  ");
}

function settingWords({ minutes, sizeMebibytes, fileSystem, spans }: SteadyResults): string {
  return (
    `${minutes} ${minutes === 1 ? "minute" : "minutes"} on ${fileSystem}, a volume of ${sizeMebibytes} MiB in async. ` +
    `History is kept for ${spans.keep} s, with one point a second, then one in five, from the ages in "${spans.levels}"; ` +
    `a snapshot is made every ${spans.snapshots} s, a collection every ${spans.collect} s, a view is opened every ${spans.views} s. ` +
    `Looked at every ${spans.samples} s. Asked for, and what fio got over all of the time:`
  );
}

function hostWords({ name: _, ...job }: JobFigures, asked: string): string {
  const got = [
    ...(job.readsPerSecond > 0 ? [`${round(job.readsPerSecond, 1)} reads`] : []),
    ...(job.writesPerSecond > 0 ? [`${round(job.writesPerSecond, 1)} writes`] : []),
    ...(job.trimsPerSecond > 0 ? [`${round(job.trimsPerSecond, 1)} trims`] : []),
  ].join(" and ");
  if (job.latencyP50Us === undefined) return `${asked}: ${got}.`;
  const ms = (us: number | undefined) => round((us ?? Number.NaN) / 1000, 2);
  const latencies = `${ms(job.latencyP50Us)} ms in the middle, ${ms(job.latencyP99Us)} for all but one of a hundred, `;
  return `${asked}: ${got}; a write took ${latencies}${ms(job.latencyP999Us)} for all but one of a thousand.`;
}

function worksWords({ works, views }: SteadyResults): string {
  const gibibytes = (bytes: number) => `${round(bytes / MiB / 1024, 2)} GiB`;
  const opened =
    views.count === 0
      ? "No view was opened"
      : `${views.count} views were opened, ${round(median(views.openedMs), 0)} ms in the middle until the first bytes were read, ` +
        `${round(Math.max(...views.openedMs), 0)} ms at most`;
  return (
    `Meanwhile ${gibibytes(works.sealedBytes)} were sealed, ${works.snapshots} snapshots made, and ${works.collections} collections were ` +
    `seen to end, which gave back ${gibibytes(works.freedBytes)}. ${opened}. ` +
    `Problems that the programs told of: ${works.problemsMax === 0 ? "none" : `up to ${works.problemsMax} at a time`}.`
  );
}

function goalWords(verdicts: readonly Verdict[]): string {
  const judged = verdicts.filter(({ met }) => met !== undefined);
  const missed = judged.filter(({ met }) => met === false);
  const count = `Flat: ${judged.length - missed.length} of ${judged.length}.`;
  return missed.length === 0
    ? count
    : wrapped(`${count} Not: ${missed.map(({ definition }) => definition.title).join("; ")}.`);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ definition: { title, unit, bound }, second, last, lowest, highest, met }) => [
    unit === "" ? title : `${title}, ${unit}`,
    shown(second),
    shown(last),
    `${shown(lowest)} to ${shown(highest)}`,
    bound === undefined ? "–" : `${boundWords(bound, unit)} ${met === true ? "met" : "**missed**"}`,
  ]);
  return table(["Median of", "second quarter", "last quarter", "all samples", "last to second"], rows);
}

export function drawSteady({ minutes, atSeconds, samples }: SteadyResults): string {
  const line = (label: string, name: string) => ({ label, values: samples[name] ?? [] });
  const ofProcesses = (title: string, unit: string, prefix: string): Chart => ({
    ...{ title, unit },
    lines: processNames.map((name) => line(name, `${prefix}.${name}`)),
  });
  const charts: Chart[] = [
    { title: "Requests a second", unit: "", lines: [line("writes", "writes"), line("reads", "reads")] },
    { title: "A write, p50", unit: "ms", lines: [line("p50", "writeP50")] },
    { title: "A write, p99", unit: "ms", lines: [line("p99", "writeP99")] },
    { title: "Lag", unit: "s", lines: [line("lag", "lagSeconds")] },
    ofProcesses("Anonymous memory", "MiB", "anonymous"),
    ofProcesses("Resident memory", "MiB", "resident"),
    ofProcesses("Open descriptors", "", "descriptors"),
    {
      ...{ title: "Spool and journals", unit: "MiB" },
      lines: [line("spool", "spool"), line("journals", "journals"), line("waits to be sealed", "unsealed")],
    },
    { title: "Store", unit: "MiB", lines: [line("logical", "storeLogical"), line("physical", "storePhysical")] },
  ];
  const times = atSeconds.map((seconds) => seconds / 60);
  const quarter = Math.floor(times.length / 4);
  const from = (index: number) => times[index] ?? 0;
  return drawCharts({
    title: `A steady load for ${minutes} minutes`,
    minutes: times,
    shaded: [
      { from: from(quarter), to: from(2 * quarter - 1) },
      { from: from(times.length - quarter), to: from(times.length - 1) },
    ],
    charts,
  });
}
