/** The figures of the protected path, and what follows from them. */
import { figuresOf, type ServerFigures, type Turn } from "./nbd-results.ts";
import type { Measure, PathCase, PlaceName } from "./path-cases.ts";
import { round, roundDown, roundUp } from "./rounding.ts";
import { median, ratioOf } from "./rounds.ts";

export interface PathTurn extends Turn {
  /** From the last reply until everything was where it is to be. */
  readonly settleSeconds: number;
  readonly memoryPeakBytes: number;
}

/** Processor time is that of all processes together, up to when all was settled; memory is the sum of their peaks. */
export interface ContenderFigures extends ServerFigures {
  readonly settleSecondsMedian: number;
  readonly settleSeconds: readonly number[];
}

export interface PathComparison {
  readonly contender: string;
  readonly against: string;
  readonly measure: Measure;
  readonly ratio: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
  readonly bound: "at least" | "at most";
  /** Null where the ratio is only for information. */
  readonly goal: number | null;
  readonly met: boolean | null;
}

export interface PathCaseFigures {
  readonly place: PlaceName;
  readonly name: string;
  readonly title: string;
  readonly blockBytes: number;
  readonly fioOptions: readonly string[];
  readonly contenders: readonly ContenderFigures[];
  readonly comparisons: readonly PathComparison[];
}

/** A long write to the disk. The lists have a value per round. */
export interface SustainedFigures {
  readonly bytes: number;
  readonly blockBytes: number;
  readonly rounds: readonly SustainedRound[];
  /** What the disk takes from one plain writer, up to its sync. */
  readonly diskBytesPerSecond: number;
  readonly unprotectedBytesPerSecond: number;
  /** Up to when source and remote had everything durably. */
  readonly protectedBytesPerSecond: number;
  /** Bytes that all roles gave to the disk for each that was asked for. */
  readonly amplification: number;
  /** Our rate to what disk and amplification allow. */
  readonly share: number;
  readonly goal: number;
  readonly met: boolean;
}

export interface SustainedRound {
  readonly diskBytesPerSecond: number;
  readonly unprotectedBytesPerSecond: number;
  readonly protectedBytesPerSecond: number;
  readonly amplification: number;
}

export interface MemoryFigures {
  readonly volumeBytes: number;
  readonly seconds: number;
  readonly goalBytes: number;
  readonly loads: readonly MemoryLoad[];
}

export interface MemoryLoad {
  readonly title: string;
  readonly iops: number;
  /** Bytes that the remote lagged behind in the end. */
  readonly lagBytes: number;
  /** Of each process, when it was idle and at the peak of all together. */
  readonly processes: readonly { readonly name: string; readonly idleBytes: number; readonly peakBytes: number }[];
  readonly peakBytes: number;
  readonly met: boolean;
}

export interface VolumesFigures {
  readonly connections: number;
  readonly totalBytes: number;
  readonly counts: readonly VolumeCountFigures[];
}

export interface VolumeCountFigures {
  readonly volumes: number;
  readonly groups: number;
  readonly figures: ContenderFigures;
  readonly ratio: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
  readonly goal: number;
  readonly met: boolean;
}

/** Writes that go mostly to the same few blocks. */
export interface HotSpotFigures {
  readonly volumeBytes: number;
  readonly seconds: number;
  /** First async, which aggregated is held against. */
  readonly contenders: readonly { readonly figures: ContenderFigures; readonly shippedBytesPerWrite: number }[];
}

/** The same over a link of less bandwidth than the host writes with. */
export interface ThinLinkFigures {
  readonly megabits: number;
  readonly delayMs: number;
  readonly seconds: number;
  readonly hostBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  /** The most in each third of the time. */
  readonly lagSecondsOfThirds: readonly [number, number, number];
}

/** Writes while the remote appliance seals what has landed. */
export interface SealingFigures {
  readonly volumeBytes: number;
  readonly seconds: number;
  /**
   * First what the other is held against: sealing that waits for hosts. The share is of what was written, and was sealed while it
   * was.
   */
  readonly contenders: readonly { readonly figures: ContenderFigures; readonly sealedShare: number }[];
}

export function contenderFigures(name: string, turns: readonly PathTurn[]): ContenderFigures {
  const settleSeconds = turns.map((turn) => round(turn.settleSeconds, 2));
  const memoryPeakBytes = Math.max(...turns.map((turn) => turn.memoryPeakBytes));
  return { ...figuresOf(name, turns, memoryPeakBytes), settleSecondsMedian: median(settleSeconds), settleSeconds };
}

/** Goals whose contenders were both measured. */
export function comparisonsOf(
  one: PathCase,
  place: PlaceName,
  contenders: readonly ContenderFigures[],
): PathComparison[] {
  return one.goals.flatMap((goal) => {
    const own = contenders.find(({ server }) => server === goal.contender);
    const other = contenders.find(({ server }) => server === goal.against);
    if (own === undefined || other === undefined) return [];
    return [compareBy(goal.measure, own, other, goal.bound[place])];
  });
}

/** Judged by the very number that is shown, which is rounded to the side that is not ours. */
export function compareBy(
  measure: Measure,
  own: ContenderFigures,
  other: ContenderFigures,
  goal: number | null,
): PathComparison {
  const isRate = measure === "rate";
  const ratio = ratioOf(seriesOf(measure, own), seriesOf(measure, other));
  const shown = (value: number) => (isRate ? roundDown(value, 2) : roundUp(value, 2));
  const ofMedians = shown(ratio.ofMedians);
  return {
    contender: own.server,
    against: other.server,
    measure,
    ratio: ofMedians,
    ratioLowest: shown(ratio.lowest),
    ratioHighest: shown(ratio.highest),
    bound: isRate ? "at least" : "at most",
    goal,
    met: goal === null ? null : isRate ? ofMedians >= goal : ofMedians <= goal,
  };
}

function seriesOf(measure: Measure, figures: ContenderFigures): readonly number[] {
  switch (measure) {
    case "rate":
      return figures.iops;
    case "p50 latency":
      return figures.latencyP50Us;
    case "p99.9 latency":
      return figures.latencyP999Us;
  }
}

export function sustainedFigures(
  load: { readonly bytes: number; readonly blockBytes: number; readonly goal: number },
  rounds: readonly SustainedRound[],
): SustainedFigures {
  const middle = (pick: (one: SustainedRound) => number) => median(rounds.map(pick));
  const diskBytesPerSecond = middle((one) => one.diskBytesPerSecond);
  const protectedBytesPerSecond = middle((one) => one.protectedBytesPerSecond);
  const amplification = roundUp(
    middle((one) => one.amplification),
    2,
  );
  const share = roundDown((protectedBytesPerSecond * amplification) / diskBytesPerSecond, 2);
  return {
    ...load,
    rounds,
    diskBytesPerSecond,
    unprotectedBytesPerSecond: middle((one) => one.unprotectedBytesPerSecond),
    protectedBytesPerSecond,
    amplification,
    share,
    met: share >= load.goal,
  };
}

/** The first is the one that the others are held against. */
export function volumeCountFigures(
  goal: number,
  counts: readonly Pick<VolumeCountFigures, "volumes" | "groups" | "figures">[],
): VolumeCountFigures[] {
  const [one] = counts;
  if (one === undefined) return [];
  return counts.map(({ volumes, groups, figures }) => {
    const { ratio, ratioLowest, ratioHighest, met } = compareBy("rate", figures, one.figures, goal);
    return { volumes, groups, figures, ratio, ratioLowest, ratioHighest, goal, met: met === true };
  });
}
