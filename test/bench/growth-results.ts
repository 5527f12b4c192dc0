/** How cost grows, as docs/benchmarks/growth.json holds it: each question by itself, of the run that asked it last. */
import { type GrowthCaseName, growthCaseNames } from "./growth-options.ts";
import type { ContenderFigures } from "./path-results.ts";
import type { OfRun } from "./path-run.ts";
import type { Provenance } from "./provenance.ts";
import { median } from "./rounds.ts";

/** What a host gets for a while, and how far the remote is behind meanwhile, at most. */
export interface Stretch {
  readonly iops: number;
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly lagSeconds: number;
}

export interface JournalFigures {
  readonly pointCount: number;
  readonly steps: readonly JournalStep[];
}

export interface JournalStep {
  readonly recordsBehind: number;
  readonly stretch: Stretch;
  /** Of points of chance, from the order until the first bytes were read. */
  readonly openedMs: readonly number[];
  readonly anonymousBytes: number;
}

export interface SizeFigures {
  readonly steps: readonly {
    readonly sizeBytes: number;
    readonly figures: ContenderFigures;
    /** When the last write was answered and settled, of all processes. */
    readonly anonymousBytes: number;
  }[];
}

export interface IndexFigures {
  readonly sealedBytes: number;
  readonly steps: readonly IndexStep[];
}

export interface IndexStep {
  readonly fingerprints: number;
  readonly indexBytes: number;
  /** Of each round. */
  readonly bytesPerSecond: readonly number[];
  readonly bytesPerCpuSecond: readonly number[];
  readonly memoryPeakBytes: number;
}

export interface DelayFigures {
  readonly steps: readonly DelayStep[];
}

export interface DelayStep {
  /** One way, as it was asked for. */
  readonly delayMs: number;
  /** Through the link and back, as it was measured. */
  readonly roundTripMs: number;
  readonly syncSingle: Stretch;
  readonly syncDeep: Stretch;
  readonly async: Stretch;
}

export interface BandwidthFigures {
  readonly delayMs: number;
  readonly seconds: number;
  readonly askedBytesPerSecond: number;
  /** From here on writers are slowed. */
  readonly lagBytesMax: number;
  readonly steps: readonly BandwidthStep[];
}

export interface BandwidthStep {
  readonly megabits: number;
  readonly mode: string;
  readonly stretch: Stretch;
  /** Sent over the link, by what the host wrote meanwhile. */
  readonly shippedShare: number;
}

export interface GrowthFigures {
  readonly journal: JournalFigures;
  readonly size: SizeFigures;
  readonly index: IndexFigures;
  readonly delay: DelayFigures;
  readonly bandwidth: BandwidthFigures;
}

export interface GrowthResults {
  readonly bench: "growth";
  /** Known by their dates. */
  readonly runs: readonly Provenance[];
  readonly cases: { readonly [Name in GrowthCaseName]?: OfRun<GrowthFigures[Name]> };
}

/** What was measured `now` takes the place of what was there of the same cases. */
export function mergeGrowth(before: GrowthResults | undefined, now: GrowthResults): GrowthResults {
  const cases = { ...before?.cases, ...now.cases };
  const used = new Set(Object.values(cases).map(({ run }) => run));
  const runs = [...(before?.runs ?? []), ...now.runs].filter(({ date }) => used.has(date));
  return { bench: "growth", runs, cases };
}

/** What of a run is there, as its command line would name it. */
export function casesOf({ cases }: GrowthResults, date: string): GrowthCaseName[] {
  return growthCaseNames.filter((name) => cases[name]?.run === date);
}

/** Medians; of the lag the most. */
export function middleOf(stretches: readonly Stretch[]): Stretch {
  const middle = (pick: (one: Stretch) => number) => median(stretches.map(pick));
  return {
    iops: middle(({ iops }) => iops),
    latencyP50Us: middle(({ latencyP50Us }) => latencyP50Us),
    latencyP99Us: middle(({ latencyP99Us }) => latencyP99Us),
    lagSeconds: Math.max(...stretches.map(({ lagSeconds }) => lagSeconds)),
  };
}
