/** The figures of one run, as docs/benchmarks/nbd.json holds them, and what follows from them. */
import type { CrowdFigures } from "./crowd.ts";
import type { FioMeasurement } from "./fio.ts";
import type { Machine } from "./machine.ts";
import type { PlaceDescription } from "./place.ts";
import { round, roundDown } from "./rounding.ts";
import { median, ratioOf } from "./rounds.ts";

/** One server in one case. The lists have a value per round. */
export interface ServerFigures {
  readonly server: string;
  readonly iopsMedian: number;
  readonly latencyP50UsMedian: number;
  readonly latencyP99UsMedian: number;
  readonly latencyP999UsMedian: number;
  /** Processor time of the server alone, all of it divided by all requests. */
  readonly cpuUsPerIo: number;
  /** The most that was resident since the server started for this case. */
  readonly memoryPeakBytes: number;
  readonly iops: readonly number[];
  readonly latencyP50Us: readonly number[];
  readonly latencyP99Us: readonly number[];
  readonly latencyP999Us: readonly number[];
  readonly cpuSeconds: readonly number[];
}

/** Our rate against another's. */
export interface Comparison {
  readonly against: string;
  readonly ratio: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
  /** Null where the figure is only for information. */
  readonly goal: number | null;
  readonly met: boolean | null;
}

export interface CaseFigures {
  readonly place: string;
  readonly name: string;
  readonly title: string;
  readonly blockBytes: number;
  readonly fioOptions: readonly string[];
  readonly servers: readonly ServerFigures[];
  readonly comparisons: readonly Comparison[];
}

export interface NbdResults {
  readonly bench: "nbd";
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly memoryPeakBytesGoal: number;
  readonly places: readonly PlaceDescription[];
  readonly cases: readonly CaseFigures[];
  /** Null where it was left out. */
  readonly crowd: CrowdFigures | null;
}

/** One turn of one server. */
export interface Turn extends FioMeasurement {
  readonly cpuSeconds: number;
}

export function figuresOf(server: string, turns: readonly Turn[], memoryPeakBytes: number): ServerFigures {
  const rounded = (pick: (turn: Turn) => number, digits: number) => turns.map((turn) => round(pick(turn), digits));
  const iops = rounded((turn) => turn.iops, 0);
  const latencyP50Us = rounded((turn) => turn.latencyP50Us, 1);
  const latencyP99Us = rounded((turn) => turn.latencyP99Us, 1);
  const latencyP999Us = rounded((turn) => turn.latencyP999Us, 1);
  const cpuSeconds = rounded((turn) => turn.cpuSeconds, 2);
  return {
    server,
    iopsMedian: median(iops),
    latencyP50UsMedian: median(latencyP50Us),
    latencyP99UsMedian: median(latencyP99Us),
    latencyP999UsMedian: median(latencyP999Us),
    cpuUsPerIo: round((sum(cpuSeconds) * 1e6) / sum(turns.map((turn) => turn.ioCount)), 2),
    memoryPeakBytes,
    iops,
    latencyP50Us,
    latencyP99Us,
    latencyP999Us,
    cpuSeconds,
  };
}

/** `goal` is judged by the very number that is shown, so that nothing is rounded up to its goal. */
export function compare(own: ServerFigures, other: ServerFigures, goal: number | undefined): Comparison {
  const ratio = ratioOf(own.iops, other.iops);
  const shown = roundDown(ratio.ofMedians, 2);
  return {
    against: other.server,
    ratio: shown,
    ratioLowest: roundDown(ratio.lowest, 2),
    ratioHighest: roundDown(ratio.highest, 2),
    goal: goal ?? null,
    met: goal === undefined ? null : shown >= goal,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
