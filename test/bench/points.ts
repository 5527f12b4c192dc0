/** `npm run bench -- points`: what snapshots and points cost. */
import type { Bench } from "./bench.ts";
import { describeCommand, describeCommit, describeMachine } from "./machine.ts";
import { table, wrapped } from "./markdown.ts";
import { ageingText, measureAgeing } from "./points-ageing.ts";
import { measureDifference } from "./points-difference.ts";
import { goalsText, verdict } from "./points-goals.ts";
import { measureOpening } from "./points-opening.ts";
import { pointsHelp, pointsOptions } from "./points-options.ts";
import { measureReading, readingCases } from "./points-reading.ts";
import type {
  DifferenceFigures,
  OpeningFigures,
  PeerFigures,
  PointsResults,
  SynthesisFigures,
  UnsealedFigures,
} from "./points-results.ts";
import { measureSynthesis } from "./points-synthesis.ts";
import { measureUnsealed } from "./points-unsealed.ts";
import { createProgress } from "./progress.ts";
import { publishFigures } from "./publication.ts";

export const pointsBench: Bench = {
  name: "points",
  summary: "snapshots and points: synthesis, opening, ageing, what differs, and reading beside nbdkit and qemu-img",
  help: pointsHelp,
  run: runPoints,
  format: (json) => formatPoints(JSON.parse(json)),
};

async function runPoints(programArguments: readonly string[]): Promise<void> {
  const options = pointsOptions(programArguments);
  const progress = createProgress(process.stderr);
  const show = (what: string) => progress.show(what);
  const synthesis = options.cases.includes("synthesis") ? await measureSynthesis(options, show) : [];
  const opening = options.cases.includes("opening") ? await measureOpening(options, show) : undefined;
  const unsealed = options.cases.includes("unsealed") ? await measureUnsealed(options, show) : undefined;
  const reading = readingCases.some((name) => options.cases.includes(name)) ? await measureReading(options, show) : [];
  const difference = options.cases.includes("diff") ? await measureDifference(options, show) : undefined;
  const ageing = options.cases.includes("ageing") ? await measureAgeing(options, show) : [];
  progress.clear();
  const results: PointsResults = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("points", programArguments),
    machine: await describeMachine(reading.length === 0 ? [] : ["nbdkit", "qemu-img", "fio"]),
    synthesis,
    opening,
    unsealed,
    reading,
    difference,
    ageing,
  };
  process.stdout.write(`${formatPoints(results)}\n`);
  if (options.isPublished) await publishFigures(pointsBench, results);
}

export function formatPoints(results: PointsResults): string {
  const {
    synthesis,
    opening,
    unsealed,
    reading = [],
    difference,
    ageing = [],
    machine,
    command,
    commit,
    date,
  } = results;
  const { processor, processorCount, kernel } = machine;
  const where = `${processor}, ${processorCount} cores, ${kernel}`;
  const parts = [
    verdict(results),
    goalsText(results),
    ...(synthesis.length === 0 ? [] : [synthesisText(synthesis)]),
    ...(opening === undefined ? [] : [openingText(opening)]),
    ...(unsealed === undefined ? [] : [unsealedText(unsealed)]),
    ...(reading.length === 0 ? [] : [readingText(reading)]),
    ...(difference === undefined ? [] : [differenceText(difference)]),
    ...(ageing.length === 0 ? [] : [ageingText(ageing)]),
    wrapped(`Measured with \`${command}\` at commit ${commit} on ${date.slice(0, 10)}: ${where}.`),
  ];
  return parts.join("\n\n");
}

function synthesisText(figures: readonly SynthesisFigures[]): string {
  const rows = figures.map((one) => [
    one.name,
    String(one.medianSeconds),
    `${one.meanSeconds} to ${one.highestSeconds}`,
    String(one.bytesPerChange),
    String(one.layers),
  ]);
  const [{ changeCount } = { changeCount: 0 }] = figures;
  const words =
    `A snapshot of ${changeCount} changes, each a record, behind another snapshot of the volume; seconds are from the order to ` +
    "the object in its folder, and bytes are all of that object. The first three have turns with each other; the first GiB of each is " +
    "full, and of the larger ones as many other blocks.";
  return `${wrapped(words)}\n\n${table(["volume", "s, median", "mean to highest", "bytes a change", "layers"], rows)}`;
}

function openingText(figures: OpeningFigures): string {
  const { recordCount, pointCount, medianSeconds, p99Seconds, highestSeconds, grownMebibytes } = figures;
  const opened =
    `${pointCount} points of chance in a journal of ${recordCount} writes of 4 KiB all over 1 TiB, opened and asked for one block ` +
    `each: ${medianSeconds} s in the middle, ${p99Seconds} s for all but one of a hundred, ${highestSeconds} s at most; memory ` +
    `grew by ${grownMebibytes} MiB.`;
  const { differenceRanges, differenceSeconds } = figures;
  return wrapped(`${opened} ${differenceRanges} ranges between two of them were told in ${differenceSeconds} s.`);
}

function unsealedText(figures: UnsealedFigures): string {
  const { recordCount, pointCount, firstSeconds, firstProcessorSeconds, grownMebibytes } = figures;
  const { medianSeconds, p99Seconds, highestSeconds, processorSeconds } = figures;
  return wrapped(
    `Of a journal of ${recordCount} writes of which nothing is sealed yet, a process that has just begun opens the first point in ` +
      `${firstSeconds} s (${firstProcessorSeconds} s of processors), and ${pointCount} others of chance in ${medianSeconds} s in the ` +
      `middle, ${p99Seconds} s for all but one of a hundred, ${highestSeconds} s at most (${processorSeconds} s of processors for ` +
      `each); memory grew by ${grownMebibytes} MiB.`,
  );
}

function readingText(figures: readonly PeerFigures[]): string {
  const rows = figures.map(({ title, peer, unit, own, other, ratio, lowestRatio, highestRatio }) => {
    const ratios = `${ratio}× (${lowestRatio}× to ${highestRatio}×)`;
    return [title, `${own} ${unit}`, peer, `${other} ${unit}`, ratios];
  });
  const words =
    "What a point holds comes out of it, beside others that have it as a plain file; medians of rounds in which everybody has a turn. " +
    "An eighth of the blocks was written again in disorder. The view's caches hold a part of it; a restore is timed from the start " +
    "of its process to its end, with all of it synced.";
  return `${wrapped(words)}\n\n${table(["what is read", "tidemark", "beside", "that", "ratio"], rows)}`;
}

function differenceText({ changeCount, rangeCount, piecesSeconds, treesSeconds }: DifferenceFigures): string {
  return wrapped(
    `Of ${changeCount} writes of 4 KiB all over 1 TiB the ${rangeCount} ranges that differ are told in ${piecesSeconds} s by the ` +
      `indexes of pieces, and in ${treesSeconds} s by a snapshot's trees alone, of which nothing was in memory before or only what ` +
      "lies above leaves.",
  );
}
