/** The figures of a run of the protected path in words and tables. */
import { table } from "./markdown.ts";
import type { PlaceName } from "./path-cases.ts";
import { hotSpotGoals, hotSpotText, thinLinkGoals, thinLinkText } from "./path-report-links.ts";
import type {
  ContenderFigures,
  MemoryFigures,
  PathCaseFigures,
  PathComparison,
  PathResults,
  SustainedFigures,
  VolumesFigures,
} from "./path-results.ts";
import { factor, type Goal, rate } from "./path-words.ts";
import type { PlaceDescription } from "./place.ts";
import { provenance } from "./provenance.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const placeTitles: Readonly<Record<PlaceName, string>> = { tmpfs: "In memory", disk: "On disk" };

export function formatPathResults(results: PathResults): string {
  const { cases, sustained, memory, volumes, hotSpot, thinLink } = results;
  return [
    provenance(results),
    verdict(results),
    ...results.places.flatMap((place) => placeSection(place, cases)),
    ...(cases.length > 0 ? ["### Latency and cost", detailTable(cases)] : []),
    ...(sustained === null ? [] : ["### A long write on disk", sustainedText(sustained)]),
    ...(memory === null ? [] : ["### Memory", memoryText(memory)]),
    ...(volumes === null ? [] : ["### Many volumes", volumesText(volumes)]),
    ...(hotSpot === null ? [] : ["### Hot spots", hotSpotText(hotSpot)]),
    ...(thinLink === null ? [] : ["### A thin link", thinLinkText(thinLink)]),
  ].join("\n\n");
}

/** Counts every goal, and names those that were missed. */
function verdict(results: PathResults): string {
  const goals = goalsOf(results);
  const missed = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - missed.length} of ${goals.length}.`;
  if (missed.length === 0) return count;
  return [`${count} Missed:`, "", ...missed.map(({ text }) => `- ${text}`)].join("\n");
}

function goalsOf({ cases, sustained, memory, volumes, hotSpot, thinLink }: PathResults): Goal[] {
  return [
    ...cases.flatMap(comparisonGoals),
    ...(sustained === null ? [] : [sustainedGoal(sustained)]),
    ...(memory === null ? [] : memoryGoals(memory)),
    ...(volumes === null ? [] : volumesGoals(volumes)),
    ...(hotSpot === null ? [] : hotSpotGoals(hotSpot)),
    ...(thinLink === null ? [] : thinLinkGoals(thinLink)),
  ];
}

function comparisonGoals({ place, title, comparisons }: PathCaseFigures): Goal[] {
  return comparisons
    .filter(({ goal }) => goal !== null)
    .map((one) => ({ met: one.met === true, text: `${placeTitles[place]}, ${title}: ${missedText(one)}` }));
}

function missedText({ contender, against, measure, ratio, bound, goal }: PathComparison): string {
  return `${contender} has ${factor(ratio)} the ${measure} of ${against}, where ${bound} ${goal} is the goal`;
}

function sustainedGoal({ share, goal, met }: SustainedFigures): Goal {
  return {
    met,
    text: `a long write: ${factor(share)} of what the disk allows, where at least ${goal} is the goal`,
  };
}

function memoryGoals({ loads, goalBytes }: MemoryFigures): Goal[] {
  return loads.map(({ title, peakBytes, met }) => ({
    met,
    text: `${title}: ${megabytes(peakBytes)} MB of anonymous memory, where at most ${megabytes(goalBytes)} MB is the goal`,
  }));
}

function volumesGoals({ counts }: VolumesFigures): Goal[] {
  return counts.slice(1).map(({ volumes, ratio, goal, met }) => ({
    met,
    text: `${volumes} volumes: ${factor(ratio)} of one, where at least ${goal} is the goal`,
  }));
}

function placeSection(place: PlaceDescription, cases: readonly PathCaseFigures[]): string[] {
  const here = cases.filter((one) => one.place === place.name);
  const [first] = here;
  if (first === undefined) return [];
  const rates = table(
    ["Case", ...first.contenders.map(({ server }) => server)],
    here.map((one) => [one.title, ...one.contenders.map((figures) => rate(figures, one.blockBytes))]),
  );
  const rows = here.flatMap(({ title, comparisons }) => comparisons.map((one) => [title, ...comparisonCells(one)]));
  const ratios = table(["Case", "of", "to that of", "ratio", "lowest to highest", "goal"], rows);
  const about = `A file of ${place.fileBytes / GiB} GiB on ${place.fileSystem}. Each turn begins with memory that was in use a moment ago.`;
  return [`### ${placeTitles[first.place]}`, about, rates, ...(rows.length > 0 ? [ratios] : [])];
}

function comparisonCells(one: PathComparison): string[] {
  const { contender, against, measure, ratio, ratioLowest, ratioHighest, bound, goal, met } = one;
  const sign = bound === "at least" ? "≥" : "≤";
  return [
    `${measure}, ${contender}`,
    against,
    factor(ratio),
    `${factor(ratioLowest)} to ${factor(ratioHighest)}`,
    goal === null ? "–" : `${sign} ${goal} ${met ? "met" : "**missed**"}`,
  ];
}

function detailTable(cases: readonly PathCaseFigures[]): string {
  const header = ["Case", "server", "p50 µs", "p99 µs", "p99.9 µs", "CPU µs per write", "settled after s"];
  const rows = cases.flatMap(({ place, title, contenders }) =>
    contenders.map((figures) => [`${placeTitles[place]}: ${title}`, ...detailCells(figures)]),
  );
  return table(header, rows);
}

function detailCells(figures: ContenderFigures): string[] {
  return [
    figures.server,
    figures.latencyP50UsMedian.toFixed(0),
    figures.latencyP99UsMedian.toFixed(0),
    figures.latencyP999UsMedian.toFixed(0),
    figures.cpuUsPerIo.toFixed(1),
    figures.settleSecondsMedian.toFixed(2),
  ];
}

function sustainedText(figures: SustainedFigures): string {
  const perSecond = (bytes: number) => `${(bytes / MiB).toFixed(0)} MiB/s`;
  const { bytes, blockBytes, rounds, share, goal, met } = figures;
  const often = `${rounds.length} ${rounds.length === 1 ? "round" : "rounds"}`;
  const about = `${bytes / GiB} GiB in blocks of ${blockBytes / 1024} KiB at depth 32, ${often}, or what a minute allows.`;
  const rows = [
    ["the disk, one plain writer and a sync", perSecond(figures.diskBytesPerSecond)],
    ["nbdkit, with a FLUSH in the end", perSecond(figures.unprotectedBytesPerSecond)],
    ["tidemark async, until the remote has all", perSecond(figures.protectedBytesPerSecond)],
    ["bytes to the disk for each that was written", figures.amplification.toFixed(2)],
    ["of what disk and amplification allow", `${factor(share)} (≥ ${goal} ${met ? "met" : "**missed**"})`],
  ];
  return `${about}\n\n${table(["Written", "median"], rows)}`;
}

function memoryText({ volumeBytes, seconds, goalBytes, loads }: MemoryFigures): string {
  const about = [
    "Anonymous memory of all processes together under 4 KiB random writes at depth 32",
    `to a sparse volume of ${volumeBytes / GiB} GiB, for ${seconds} s; at most ${megabytes(goalBytes)} MB is the goal.`,
  ].join("\n");
  const rows = loads.map(({ title, processes, peakBytes, iops, lagBytes, met }) => [
    title,
    processes.map(({ idleBytes }) => megabytes(idleBytes)).join(" + "),
    processes.map(({ peakBytes: peak }) => megabytes(peak)).join(" + "),
    `${megabytes(peakBytes)} ${met ? "met" : "**missed**"}`,
    `${(iops / 1000).toFixed(1)} k/s`,
    `${(lagBytes / MiB).toFixed(0)} MiB`,
  ]);
  return `${about}\n\n${table(["Load", "idle MB", "peak MB", "together", "rate", "remote's lag"], rows)}`;
}

function volumesText({ connections, totalBytes, counts }: VolumesFigures): string {
  const about = [
    `4 KiB random writes over ${connections} connections of depth 1, in memory, ${totalBytes / MiB} MiB in all;`,
    "each volume is a group of its own.",
  ].join("\n");
  const rows = counts.map(({ volumes, figures, ratio, ratioLowest, ratioHighest, goal, met }, index) => [
    `${volumes}`,
    rate(figures, 0),
    index === 0 ? "–" : `${factor(ratio)} (${factor(ratioLowest)} to ${factor(ratioHighest)})`,
    index === 0 ? "–" : `≥ ${goal} ${met ? "met" : "**missed**"}`,
    ...detailCells(figures).slice(1),
  ]);
  const header = [
    "Volumes",
    "rate",
    "to one",
    "goal",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "CPU µs per write",
    "settled after s",
  ];
  return `${about}\n\n${table(header, rows)}`;
}

/** Rounded up: a limit is not met by rounding. */
function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toFixed(0);
}
