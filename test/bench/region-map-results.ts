/** What the region map costs where all regions are marked, and where none is. */
import { compareRates, type RateComparison } from "./rate-comparison.ts";
import { median } from "./rounds.ts";

export interface RegionMapFigures {
  readonly warm: WarmRegionsFigures;
  readonly cold: ColdRegionsFigures;
}

export interface WarmRegionsFigures {
  readonly volumeBytes: number;
  readonly seconds: number;
  readonly with: MapRates;
  readonly without: MapRates;
  readonly comparison: RateComparison;
}

export interface ColdRegionsFigures {
  readonly volumeBytes: number;
  readonly regionBytes: number;
  readonly writes: number;
  readonly loads: readonly ColdLoad[];
}

export interface ColdLoad {
  readonly depth: number;
  readonly with: MapRates;
  readonly without: MapRates;
}

/** The rates have a value per round, the rest is a median. */
export interface MapRates {
  readonly iops: readonly number[];
  readonly latencyP50Us: number;
  readonly latencyP999Us: number;
  readonly cpuUsPerIo: number;
}

export interface MapTurn {
  readonly iops: number;
  readonly ioCount: number;
  readonly latencyP50Us: number;
  readonly latencyP999Us: number;
  /** Up to when all was settled. */
  readonly cpuSeconds: number;
}

export function mapRates(turns: readonly MapTurn[]): MapRates {
  const middle = (pick: (turn: MapTurn) => number) => median(turns.map(pick));
  return {
    iops: turns.map(({ iops }) => iops),
    latencyP50Us: middle((turn) => turn.latencyP50Us),
    latencyP999Us: middle((turn) => turn.latencyP999Us),
    cpuUsPerIo: middle((turn) => (turn.cpuSeconds / turn.ioCount) * 1e6),
  };
}

export function warmRegionsFigures(
  about: { readonly volumeBytes: number; readonly seconds: number; readonly goal: number },
  own: readonly MapTurn[],
  other: readonly MapTurn[],
): WarmRegionsFigures {
  const { goal, ...rest } = about;
  const [withMap, without] = [mapRates(own), mapRates(other)];
  return { ...rest, with: withMap, without, comparison: compareRates(withMap.iops, without.iops, goal) };
}
