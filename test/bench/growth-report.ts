/** How cost grows, in a table for each question. */
import { type GrowthCaseName, growthCaseNames } from "./growth-options.ts";
import {
  type BandwidthFigures,
  casesOf,
  type DelayFigures,
  type GrowthFigures,
  type GrowthResults,
  type IndexFigures,
  type JournalFigures,
  type SizeFigures,
  type Stretch,
} from "./growth-results.ts";
import { table, wrapped } from "./markdown.ts";
import { detailCells, detailTitles } from "./path-words.ts";
import { aboutRun } from "./provenance.ts";
import { round, roundUp } from "./rounding.ts";
import { median } from "./rounds.ts";

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;

const reports: { readonly [Name in GrowthCaseName]: CaseReport<GrowthFigures[Name]> } = {
  journal: { title: "What lies behind in the journal", text: journalText },
  size: { title: "The size of the volume", text: sizeText },
  index: { title: "What the index has", text: indexText },
  delay: { title: "The delay of the link", text: delayText },
  bandwidth: { title: "The bandwidth of the link", text: bandwidthText },
};

interface CaseReport<Figures> {
  readonly title: string;
  readonly text: (figures: Figures) => string;
}

export function formatGrowth(results: GrowthResults): string {
  const about = results.runs.flatMap((run) => {
    const { rounds, secondsPerRound = 0 } = run;
    const words = aboutRun(run, [
      `${rounds} ${rounds === 1 ? "turn" : "turns"} of each in size, index and delay, of ${secondsPerRound} s.`,
    ]);
    const cases = casesOf(results, run.date).join(", ");
    return results.runs.length === 1 ? [words] : [words, `Of this run: ${cases}.`];
  });
  return [...about, ...growthCaseNames.flatMap((name) => sectionOf(name, results.cases[name]))].join("\n\n");
}

function sectionOf<Name extends GrowthCaseName>(name: Name, figures: GrowthFigures[Name] | undefined): string[] {
  if (figures === undefined) return [];
  const { title, text } = reports[name];
  return [`### ${title}`, text(figures)];
}

const rateOf = (iops: number) => (iops < 10_000 ? `${round(iops, 0)} /s` : `${round(iops / 1000, 1)} k/s`);
const ratioOf = (value: number, first: number) => `${round(value / first, 2)}×`;
const milliseconds = (us: number) => `${round(us / 1000, 2)} ms`;
const mebibytes = (bytes: number) => `${roundUp(bytes / MiB, 0)} MiB`;

function rateCells(stretch: Stretch, first: Stretch): string[] {
  return [rateOf(stretch.iops), ratioOf(stretch.iops, first.iops)];
}

function journalText({ steps, pointCount }: JournalFigures): string {
  const words =
    "All roles in one process, a volume of 64 GiB: 4 KiB random writes at depth 32, and then " +
    `${pointCount} points of chance, from the order until the first bytes of each were read. What lies behind are trims of 4 KiB and the ` +
    "writes of the steps before; memory is that of no file, of all processes.";
  const rows = steps.map(({ recordsBehind, stretch, openedMs, anonymousBytes }) => [
    `${round(recordsBehind / 1e6, 2)} million`,
    ...rateCells(stretch, (steps[0] as (typeof steps)[0]).stretch),
    milliseconds(stretch.latencyP50Us),
    milliseconds(stretch.latencyP99Us),
    `${round(median(openedMs), 0)} ms`,
    `${roundUp(Math.max(...openedMs), 0)} ms`,
    mebibytes(anonymousBytes),
  ]);
  const header = ["Records behind", "writes", "to the first", "p50", "p99", "a point, median", "at most", "memory"];
  return `${wrapped(words)}\n\n${table(header, rows)}`;
}

function sizeText({ steps }: SizeFigures): string {
  const words =
    "All roles in one process: 4 KiB random writes at depth 32 all over a volume that is empty, so that the larger it is, the more of " +
    "the writes meet a region that has not been written to before.";
  const first = steps[0]?.figures.iopsMedian ?? Number.NaN;
  const rows = steps.map(({ sizeBytes, figures, anonymousBytes }) => [
    `${sizeBytes / GiB} GiB`,
    rateOf(figures.iopsMedian),
    ratioOf(figures.iopsMedian, first),
    ...detailCells(figures),
    mebibytes(anonymousBytes),
  ]);
  return `${wrapped(words)}\n\n${table(["Volume", "writes", "to the first", ...detailTitles, "memory"], rows)}`;
}

function indexText({ steps, sealedBytes }: IndexFigures): string {
  const words =
    `${round(sealedBytes / GiB, 2)} GiB that nobody has seen before, a third of each block noise, sealed by two threads with an index of ` +
    "so many fingerprints; writing down what was gathered for it is part of it.";
  const first = median(steps[0]?.bytesPerSecond ?? [Number.NaN]);
  const rows = steps.map(({ fingerprints, indexBytes, bytesPerSecond, bytesPerCpuSecond, memoryPeakBytes }) => [
    `${fingerprints / 1e6} million`,
    `${round(median(bytesPerSecond) / 1e6, 0)} MB/s`,
    ratioOf(median(bytesPerSecond), first),
    `${round(median(bytesPerCpuSecond) / 1e6, 0)} MB/s`,
    mebibytes(indexBytes),
    mebibytes(memoryPeakBytes),
  ]);
  const header = ["Fingerprints", "sealed", "to the first", "per core", "the index", "most memory"];
  return `${wrapped(words)}\n\n${table(header, rows)}`;
}

function delayText({ steps }: DelayFigures): string {
  const words =
    "Each role in a process of its own, and a program between local and remote appliance that holds everything up for so long, and " +
    "lets any bandwidth through: 4 KiB random writes. The round trip is that of a small message through the same program.";
  const rows = steps.map(({ delayMs, roundTripMs, syncSingle, syncDeep, async }) => [
    `${delayMs} ms`,
    `${round(roundTripMs, 1)} ms`,
    rateOf(syncSingle.iops),
    milliseconds(syncSingle.latencyP50Us),
    rateOf(syncDeep.iops),
    milliseconds(syncDeep.latencyP50Us),
    rateOf(async.iops),
    milliseconds(async.latencyP50Us),
    `${round(async.lagSeconds, 2)} s`,
  ]);
  const header = [
    ...[
      "One way",
      "there and back",
      "sync, depth 1",
      "p50",
      "sync, depth 32",
      "p50",
      "async, depth 32",
      "p50",
      "lag, at most",
    ],
  ];
  return `${wrapped(words)}\n\n${table(header, rows)}`;
}

function bandwidthText({ delayMs, seconds, askedBytesPerSecond, lagBytesMax, steps }: BandwidthFigures): string {
  const words =
    `As before, with ${delayMs} ms one way and little bandwidth; nothing is compressed on the way. The host asks for ` +
    `${round(askedBytesPerSecond / MiB, 0)} MiB/s of 4 KiB random writes at depth 32, nine tenths of them to a hundredth of the ` +
    `volume, and writers are slowed so that the lag does not pass ${lagBytesMax / MiB} MiB (\`modes.lagBytes\`); measured for ` +
    `${seconds} s once that is so.`;
  const rows = steps.map(({ megabits, mode, stretch, shippedShare }) => [
    `${megabits} Mbit/s, ${mode}`,
    `${round((stretch.iops * 4096) / MiB, 1)} MiB/s`,
    `${round((100 * stretch.iops * 4096) / askedBytesPerSecond, 0)} %`,
    `${round(shippedShare, 2)}×`,
    milliseconds(stretch.latencyP50Us),
    milliseconds(stretch.latencyP99Us),
    `${round(stretch.lagSeconds, 1)} s`,
  ]);
  const header = ["Link", "the host gets", "of what it asks for", "sent for each byte", "p50", "p99", "lag, at most"];
  return `${wrapped(words)}\n\n${table(header, rows)}`;
}
