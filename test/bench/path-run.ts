/**
 * All that was measured of the protected path, as docs/benchmarks/path.json holds it. Cases may be of different runs, since a
 * run of some of them takes the place of just these: so each says of which run it is, and a run goes when nothing is of it.
 */
import { type ExtraName, extraNames, pathCases, placeNames } from "./path-cases.ts";
import type { ExtraFigures } from "./path-extras.ts";
import type { PathCaseFigures } from "./path-results.ts";
import type { PlaceDescription } from "./place.ts";
import type { Provenance } from "./provenance.ts";

/** `run`: the date of that run. */
export type OfRun<Figures> = Figures & { readonly run: string };

export interface PathResults {
  readonly bench: "path";
  /** Known by their dates. */
  readonly runs: readonly Provenance[];
  readonly places: readonly PlaceDescription[];
  readonly cases: readonly OfRun<PathCaseFigures>[];
  readonly extras: { readonly [Name in ExtraName]?: OfRun<ExtraFigures[Name]> };
}

/** What was measured `now` takes the place of what was there of the same cases in the same places. */
export function mergeResults(before: PathResults | undefined, now: PathResults): PathResults {
  if (before === undefined) return now;
  const cases = placeNames.flatMap((place) =>
    pathCases.flatMap(({ name }) => {
      const isIt = (one: PathCaseFigures) => one.name === name && one.place === place;
      return now.cases.find(isIt) ?? before.cases.find(isIt) ?? [];
    }),
  );
  const places = placeNames.flatMap((name) => {
    const isIt = (one: PlaceDescription) => one.name === name;
    return now.places.find(isIt) ?? before.places.find(isIt) ?? [];
  });
  const extras = { ...before.extras, ...now.extras };
  const used = new Set([...cases, ...Object.values(extras)].map(({ run }) => run));
  const runs = [...before.runs, ...now.runs].filter(({ date }) => used.has(date));
  return { bench: "path", runs, places, cases, extras };
}

/** What of a run is there, as its command line would name it. */
export function partsOf(results: PathResults, date: string): string[] {
  const cases = results.cases.filter(({ run }) => run === date).map(({ name, place }) => `${name} (${place})`);
  return [...cases, ...extraNames.filter((name) => results.extras[name]?.run === date)];
}
