/** What the benchmark of points is judged by: each goal, what was measured for it, and which of them were missed. */
import { blockBytes } from "#src/core/limits.ts";
import { table, wrapped } from "./markdown.ts";
import type {
  DifferenceFigures,
  OpeningFigures,
  PeerFigures,
  PointsResults,
  SynthesisFigures,
  UnsealedFigures,
} from "./points-results.ts";
import { judged, type StoreGoal } from "./store-results.ts";

const MB = 1e6;
const MiB = 2 ** 20;
const openingGoals = { medianSeconds: 0.2, p99Seconds: 1, grownMegabytes: 300 } as const;
const differenceSecondsMax = 0.5;

interface PointsGoal extends StoreGoal {
  readonly title: string;
}

type Wanted = Parameters<typeof judged>[0];
type AtMost = Omit<Wanted, "bound">;

/** Counts every goal, and names those that were missed, and what was not measured at all. */
export function verdict(results: PointsResults): string {
  const goals = goalsOf(results);
  const missed = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - missed.length} of ${goals.length}.`;
  const names = missed.map((one) => `- ${one.title}, ${one.what}: ${figure(one)}, where ${sign(one)} is the goal`);
  const absent = unmeasured(results);
  return [
    missed.length === 0 ? count : [`${count} Missed:`, "", ...names].join("\n"),
    ...(absent.length === 0 ? [] : [wrapped(`Goals that were not measured: ${absent.join(", ")}.`)]),
  ].join("\n\n");
}

export function goalsText(results: PointsResults): string {
  const rows = goalsOf(results).map((one) => [
    `${one.title}, ${one.what}`,
    figure(one),
    one.lowest === undefined ? "–" : `${one.lowest}${one.unit} to ${one.highest}${one.unit}`,
    `${sign(one)} ${one.met ? "met" : "**missed**"}`,
  ]);
  return table(["goal", "measured", "lowest to highest", "wanted"], rows);
}

function goalsOf({ synthesis, opening, unsealed, reading = [], difference }: PointsResults): PointsGoal[] {
  return [
    ...synthesis.flatMap(synthesisGoals),
    ...(opening === undefined ? [] : openedGoals("opening", opening)),
    ...(unsealed === undefined ? [] : openedGoals("opening, nothing sealed", unsealed)),
    ...reading.flatMap(readingGoals),
    ...(difference === undefined ? [] : differenceGoals(difference)),
  ];
}

/** By the names of the cases. */
function unmeasured({ synthesis, opening, unsealed, reading = [], difference }: PointsResults): string[] {
  const names = ["view-random", "view-sequential", "restore"].filter(
    (name) => !reading.some((one) => one.name === name),
  );
  return [
    ...(synthesis.length === 0 ? ["synthesis"] : []),
    ...(opening === undefined ? ["opening"] : []),
    ...(unsealed === undefined ? ["unsealed"] : []),
    ...names,
    ...(difference === undefined ? ["diff"] : []),
  ];
}

function synthesisGoals({ name, goals, beside, bytesPerChange, ...seconds }: SynthesisFigures): PointsGoal[] {
  const title = `synthesis, ${name}`;
  const { medianSeconds: value, lowestSeconds: lowest, highestSeconds: highest } = seconds;
  const ofBlock = (100 * bytesPerChange) / blockBytes;
  const all: PointsGoal[] = [];
  if (goals.seconds !== undefined)
    all.push(atMost(title, { what: "in the middle", unit: " s", value, lowest, highest, goal: goals.seconds }));
  if (goals.bytesPercent !== undefined)
    all.push(atMost(title, { what: "of each changed block", unit: " %", value: ofBlock, goal: goals.bytesPercent }));
  if (goals.factor !== undefined && beside !== undefined) all.push(besideGoal(title, goals.factor, beside));
  return all;
}

/** Neither may take much longer than the other: a ratio below one is turned over. */
function besideGoal(title: string, goal: number, beside: NonNullable<SynthesisFigures["beside"]>): PointsGoal {
  const { name, ofMedians, lowest, highest } = beside;
  const isLonger = ofMedians >= 1;
  const [value, from, to] = isLonger ? [ofMedians, lowest, highest] : [1 / ofMedians, 1 / highest, 1 / lowest];
  const what = `${isLonger ? "slower" : "faster"} than ${name}`;
  return {
    ...atMost(title, { what, unit: "×", value, goal }),
    lowest: Number(from.toFixed(2)),
    highest: Number(to.toFixed(2)),
  };
}

function openedGoals(title: string, figures: OpeningFigures | UnsealedFigures): PointsGoal[] {
  const { medianSeconds, p99Seconds, grownMebibytes } = figures;
  const grown = Math.max(0, Math.ceil((grownMebibytes * MiB) / MB));
  return [
    atMost(title, { what: "in the middle", unit: " s", value: medianSeconds, goal: openingGoals.medianSeconds }),
    atMost(title, { what: "all but one of a hundred", unit: " s", value: p99Seconds, goal: openingGoals.p99Seconds }),
    atMost(title, { what: "memory grown", unit: " MB", value: grown, goal: openingGoals.grownMegabytes }),
  ];
}

function readingGoals({ title, peer, goals, ratio, lowestRatio, highestRatio, own, unit }: PeerFigures): PointsGoal[] {
  const spread = { lowest: lowestRatio, highest: highestRatio };
  const besides = { ...spread, what: `of ${peer}`, unit: "×", value: ratio };
  return [
    ...(goals.ratio === undefined ? [] : [atLeast(title, { ...besides, goal: goals.ratio })]),
    ...(goals.own === undefined
      ? []
      : [atLeast(title, { what: "by itself", unit: ` ${unit}`, value: own, goal: goals.own })]),
  ];
}

function differenceGoals({ piecesSeconds, treesSeconds }: DifferenceFigures): PointsGoal[] {
  const wanted = { unit: " s", goal: differenceSecondsMax };
  return [
    atMost("difference", { ...wanted, what: "by the indexes of pieces", value: piecesSeconds }),
    atMost("difference", { ...wanted, what: "by trees alone", value: treesSeconds }),
  ];
}

function atMost(title: string, wanted: AtMost): PointsGoal {
  return { title, ...judged({ ...wanted, bound: "at most" }) };
}

function atLeast(title: string, wanted: AtMost): PointsGoal {
  return { title, ...judged({ ...wanted, bound: "at least" }) };
}

function figure({ value, unit }: PointsGoal): string {
  return `${value}${unit}`;
}

function sign({ bound, goal, unit }: PointsGoal): string {
  return `${bound === "at least" ? "≥" : "≤"} ${goal}${unit}`;
}
