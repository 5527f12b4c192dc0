/** Words that all parts of the report of the protected path use. */
import type { PlaceName } from "./path-cases.ts";
import type { ContenderFigures } from "./path-results.ts";
import type { RateComparison } from "./rate-comparison.ts";

const MiB = 1024 ** 2;
/** From here on a case is told in bytes, since it is about moving them. */
const largeBlockBytes = 64 * 1024;

export const placeTitles: Readonly<Record<PlaceName, string>> = { tmpfs: "In memory", disk: "On disk" };

export interface Goal {
  readonly met: boolean;
  /** What to say where it was missed. */
  readonly text: string;
}

export function rate({ iopsMedian }: ContenderFigures, blockBytes: number): string {
  if (blockBytes >= largeBlockBytes) return `${((iopsMedian * blockBytes) / MiB).toFixed(0)} MiB/s`;
  return `${(iopsMedian / 1000).toFixed(1)} k/s`;
}

export function factor(value: number): string {
  return `${value.toFixed(2)}×`;
}

export const detailTitles = ["p50 µs", "p99 µs", "p99.9 µs", "CPU µs per write", "settled after s"] as const;

export function detailCells(figures: ContenderFigures): string[] {
  return [
    figures.latencyP50UsMedian.toFixed(0),
    figures.latencyP99UsMedian.toFixed(0),
    figures.latencyP999UsMedian.toFixed(0),
    figures.cpuUsPerIo.toFixed(1),
    figures.settleSecondsMedian.toFixed(2),
  ];
}

export function comparedText({ ratio, ratioLowest, ratioHighest, goal, met }: RateComparison): string {
  return `${factor(ratio)} (${factor(ratioLowest)} to ${factor(ratioHighest)}), ${goalText("≥", goal, met)}`;
}

export function goalText(sign: "≥" | "≤", goal: number, met: boolean): string {
  return `${sign} ${goal} ${met ? "met" : "**missed**"}`;
}
