/** Loads of a kind of their own, in words and tables. */
import { table } from "./markdown.ts";
import {
  compareBy,
  type MemoryFigures,
  type SealingFigures,
  type SustainedFigures,
  type VolumesFigures,
} from "./path-results.ts";
import { detailCells, detailTitles, factor, type Goal, rate } from "./path-words.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export function sustainedGoals({ share, goal, met }: SustainedFigures): Goal[] {
  return [
    {
      met,
      text: `a long write: ${factor(share)} of what the disk allows, where at least ${goal} is the goal`,
    },
  ];
}

export function memoryGoals({ loads, goalBytes }: MemoryFigures): Goal[] {
  return loads.map(({ title, peakBytes, met }) => ({
    met,
    text: `${title}: ${megabytes(peakBytes)} MB of anonymous memory, where at most ${megabytes(goalBytes)} MB is the goal`,
  }));
}

export function volumesGoals({ counts }: VolumesFigures): Goal[] {
  return counts.slice(1).map(({ volumes, groups, ratio, goal, met }) => ({
    met,
    text: `${volumes} volumes in ${inGroups(groups)}: ${factor(ratio)} of one, where at least ${goal} is the goal`,
  }));
}

export function sustainedText(figures: SustainedFigures): string {
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

export function memoryText({ volumeBytes, seconds, goalBytes, loads }: MemoryFigures): string {
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

export function volumesText({ connections, totalBytes, counts }: VolumesFigures): string {
  const about = [
    `4 KiB random writes over ${connections} connections of depth 1, in memory, ${totalBytes / MiB} MiB in all;`,
    "the volumes are in one group, or each in one of its own.",
  ].join("\n");
  const rows = counts.map(({ volumes, groups, figures, ratio, ratioLowest, ratioHighest, goal, met }, index) => [
    `${volumes}`,
    `${groups}`,
    rate(figures, 0),
    index === 0 ? "–" : `${factor(ratio)} (${factor(ratioLowest)} to ${factor(ratioHighest)})`,
    index === 0 ? "–" : `≥ ${goal} ${met ? "met" : "**missed**"}`,
    ...detailCells(figures),
  ]);
  const header = ["Volumes", "groups", "rate", "to one", "goal", ...detailTitles];
  return `${about}\n\n${table(header, rows)}`;
}

export function sealingText({ volumeBytes, seconds, contenders }: SealingFigures): string {
  const about = [
    `4 KiB random writes at depth 32 in async, in memory, to a volume of ${volumeBytes / MiB} MiB, for ${seconds} s: when sealing`,
    "waits for hosts, as it does by itself, and when it does not (`store.sealBehind: 0`).",
  ].join("\n");
  const rows = contenders.map(({ figures, sealedShare }) => [
    figures.server,
    rate(figures, 0),
    `${(sealedShare * 100).toFixed(0)} %`,
    ...detailCells(figures),
  ]);
  const [waiting, beside] = contenders;
  if (waiting === undefined || beside === undefined) throw new Error("sealing is measured in both ways");
  const { ratio, ratioLowest, ratioHighest } = compareBy("rate", beside.figures, waiting.figures, null);
  const span = `${factor(ratioLowest)} to ${factor(ratioHighest)}`;
  const words = `The rate beside sealing to that without: ${factor(ratio)} (${span}).`;
  return `${about}\n\n${table(["Sealing", "rate", "sealed meanwhile", ...detailTitles], rows)}\n\n${words}`;
}

function inGroups(groups: number): string {
  return groups === 1 ? "1 group" : `${groups} groups`;
}

/** Rounded up: a limit is not met by rounding. */
function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toFixed(0);
}
