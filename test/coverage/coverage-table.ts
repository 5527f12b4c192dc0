/** What was covered, by folder; and the files that are below the goal, with the lines to look at. */
import type { CoveredPlaces, Place } from "./covered-places.ts";

/** In percent. */
export const goal = 95;
const linesShown = 12;

export interface CoveredFile extends CoveredPlaces {
  readonly path: string;
}

export function percentOf(places: readonly Place[]): number {
  return places.length === 0 ? 100 : (100 * places.filter(({ isCovered }) => isCovered).length) / places.length;
}

export function coverageTable(folders: ReadonlyMap<string, readonly CoveredFile[]>): string[] {
  const rows = [...folders].map(([folder, files]) => row(folder, files));
  const below = [...folders.values()]
    .flat()
    .filter(isBelowGoal)
    .toSorted((a, b) => missed(b) - missed(a));
  const named = below.map((file) => `${row(file.path, [file])}   lines ${linesMissed(file)}`);
  const title = ["", `files below ${goal} %, by what is missed of them`];
  return [headline, ...rows, ...(named.length === 0 ? [] : [...title, ...named])];
}

const headline = `${"".padEnd(46)} ${"lines".padStart(19)} ${"branches".padStart(19)}`;

function row(name: string, files: readonly CoveredPlaces[]): string {
  const figures = [files.flatMap(({ lines }) => lines), files.flatMap(({ branches }) => branches)];
  return `${name.padEnd(46)} ${figures.map(figure).join(" ")}`;
}

/** Rounded down, so that 100 says all. */
function figure(places: readonly Place[]): string {
  const covered = places.filter(({ isCovered }) => isCovered).length;
  const percent = (Math.floor(percentOf(places) * 10) / 10).toFixed(1);
  return `${`${covered}/${places.length}`.padStart(12)} ${percent.padStart(6)}`;
}

function isBelowGoal({ lines, branches }: CoveredPlaces): boolean {
  return percentOf(lines) < goal || percentOf(branches) < goal;
}

function missed({ lines, branches }: CoveredPlaces): number {
  return [...lines, ...branches].filter(({ isCovered }) => !isCovered).length;
}

function linesMissed({ lines, branches }: CoveredPlaces): string {
  const all = [...lines, ...branches].filter(({ isCovered }) => !isCovered).map(({ line }) => line);
  const each = [...new Set(all)].toSorted((a, b) => a - b);
  return each.slice(0, linesShown).join(" ") + (each.length > linesShown ? " ..." : "");
}
