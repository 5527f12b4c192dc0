/** Figures of `npm run bench -- points`. */
import type { Machine } from "./machine.ts";
import { round, roundDown } from "./rounding.ts";
import { median, type Ratio, ratioOf } from "./rounds.ts";

export interface SynthesisFigures {
  readonly name: string;
  readonly changeCount: number;
  /** That the first snapshot wrote. */
  readonly baseExtents: number;
  readonly baseBytes: number;
  readonly medianSeconds: number;
  readonly meanSeconds: number;
  readonly lowestSeconds: number;
  readonly highestSeconds: number;
  /** Of the snapshots' objects, all in all. */
  readonly bytesPerChange: number;
  readonly layers: number;
  /** How its seconds are to those of another case, which had turns with it. */
  readonly beside?: SecondsBeside;
  readonly goals: SynthesisGoals;
}

export interface SecondsBeside extends Ratio {
  readonly name: string;
}

/** The most. */
export interface SynthesisGoals {
  /** In the middle. */
  readonly seconds?: number;
  /** Of a block, for each change of one. */
  readonly bytesPercent?: number;
  /** Of its seconds to those of the case beside it, or of those to its own. */
  readonly factor?: number;
}

export interface OpeningFigures {
  readonly recordCount: number;
  readonly pointCount: number;
  readonly medianSeconds: number;
  readonly p99Seconds: number;
  readonly highestSeconds: number;
  readonly grownMebibytes: number;
  readonly differenceSeconds: number;
  readonly differenceRanges: number;
}

/** Of points that are not sealed yet. */
export interface UnsealedFigures {
  readonly recordCount: number;
  readonly pointCount: number;
  /** By a process that has just begun, and what it took of processors. */
  readonly firstSeconds: number;
  readonly firstProcessorSeconds: number;
  readonly medianSeconds: number;
  readonly p99Seconds: number;
  readonly highestSeconds: number;
  /** For each of them. */
  readonly processorSeconds: number;
  readonly grownMebibytes: number;
}

/** Of what is read, beside somebody else who reads the same. */
export interface PeerFigures {
  readonly name: string;
  readonly title: string;
  readonly peer: string;
  readonly unit: "k/s" | "MB/s";
  /** Medians. */
  readonly own: number;
  readonly other: number;
  /** Of ours to theirs, of the medians and of single rounds. */
  readonly ratio: number;
  readonly lowestRatio: number;
  readonly highestRatio: number;
  /** The least: of the ratio, or of our own rate. */
  readonly goals: { readonly ratio?: number; readonly own?: number };
}

interface PeerSeries extends Pick<PeerFigures, "name" | "title" | "peer" | "unit" | "goals"> {
  readonly series: ReadonlyMap<"own" | "peer", readonly number[]>;
}

export function peerFigures({ series, ...about }: PeerSeries): PeerFigures {
  const [own, other] = [series.get("own") ?? [], series.get("peer") ?? []];
  const { ofMedians, lowest, highest } = ratioOf(own, other);
  return {
    ...about,
    own: roundDown(median(own), 1),
    other: round(median(other), 1),
    ratio: roundDown(ofMedians, 2),
    lowestRatio: roundDown(lowest, 2),
    highestRatio: roundDown(highest, 2),
  };
}

/** Of two points of a large volume. */
export interface DifferenceFigures {
  readonly changeCount: number;
  readonly rangeCount: number;
  /** As it is told: by the indexes of the pieces between them. */
  readonly piecesSeconds: number;
  /** By the trees of the later snapshot alone, where the pieces are there no more. */
  readonly treesSeconds: number;
}

/** Of a history that is thinned out. */
export interface AgeingFigures {
  readonly name: string;
  readonly recordCount: number;
  readonly recordsLeft: number;
  /** Thousands of records in a second, of those that there were: from being due to being folded and compared. */
  readonly foldedPerSecond: number;
  /** The same of the next run: compared once more, and what was replaced has gone. */
  readonly settledPerSecond: number;
  /** Of the pieces' objects before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface PointsResults {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly synthesis: readonly SynthesisFigures[];
  readonly opening: OpeningFigures | undefined;
  readonly unsealed?: UnsealedFigures | undefined;
  readonly reading?: readonly PeerFigures[];
  readonly difference?: DifferenceFigures | undefined;
  readonly ageing?: readonly AgeingFigures[];
}
