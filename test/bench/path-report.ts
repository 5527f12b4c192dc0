/** What was measured of the protected path, in words and tables. */
import { table, wrapped } from "./markdown.ts";
import { type ExtraName, extraNames } from "./path-cases.ts";
import { type ExtraFigures, type ExtraReport, extraReports } from "./path-extras.ts";
import type { PathCaseFigures, PathComparison } from "./path-results.ts";
import { type PathResults, partsOf } from "./path-run.ts";
import { detailCells, detailTitles, factor, type Goal, placeTitles, rate } from "./path-words.ts";
import type { PlaceDescription } from "./place.ts";
import { provenance } from "./provenance.ts";

const GiB = 1024 ** 3;

export function formatPathResults(results: PathResults): string {
  const { cases } = results;
  return [
    ...runsText(results),
    verdict(results),
    ...results.places.flatMap((place) => placeSection(place, cases)),
    ...(cases.length > 0 ? ["### Latency and cost", detailTable(cases)] : []),
    ...extraNames.flatMap((name) => ofExtra(results, name, extraText)),
  ].join("\n\n");
}

/** Where not all is of one run, each says what is of it. */
function runsText(results: PathResults): string[] {
  const { runs } = results;
  if (runs.length < 2) return runs.map(provenance);
  return runs.flatMap((run) => [provenance(run), wrapped(`Of this run: ${partsOf(results, run.date).join(", ")}.`)]);
}

/** Counts every goal, and names those that were missed. */
function verdict(results: PathResults): string {
  const goals = [
    ...results.cases.flatMap(comparisonGoals),
    ...extraNames.flatMap((name) => ofExtra(results, name, (report, figures) => report.goals(figures))),
  ];
  const missed = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - missed.length} of ${goals.length}.`;
  if (missed.length === 0) return count;
  return [`${count} Missed:`, "", ...missed.map(({ text }) => `- ${text}`)].join("\n");
}

/** Nothing where it was not measured. */
function ofExtra<Name extends ExtraName, Told>(
  { extras }: PathResults,
  name: Name,
  tell: (report: ExtraReport<ExtraFigures[Name]>, figures: ExtraFigures[Name]) => readonly Told[],
): readonly Told[] {
  const figures: ExtraFigures[Name] | undefined = extras[name];
  return figures === undefined ? [] : tell(extraReports[name], figures);
}

function extraText<Figures>({ title, text }: ExtraReport<Figures>, figures: Figures): string[] {
  return [`### ${title}`, text(figures)];
}

function comparisonGoals({ place, title, comparisons }: PathCaseFigures): Goal[] {
  return comparisons
    .filter(({ goal }) => goal !== null)
    .map((one) => ({ met: one.met === true, text: `${placeTitles[place]}, ${title}: ${missedText(one)}` }));
}

function missedText({ contender, against, measure, ratio, bound, goal }: PathComparison): string {
  return `${contender} has ${factor(ratio)} the ${measure} of ${against}, where ${bound} ${goal} is the goal`;
}

function placeSection(place: PlaceDescription, cases: readonly PathCaseFigures[]): string[] {
  const here = cases.filter((one) => one.place === place.name);
  const [first] = here;
  if (first === undefined) return [];
  const rates = table(
    ["Case", ...first.contenders.map(({ server }) => server)],
    here.map((one) => [one.title, ...one.contenders.map((figures) => rate(figures, one.blockBytes))]),
  );
  const rows = here.flatMap(({ title, comparisons }) => comparisons.map((one) => [title, ...comparisonCells(one)]));
  const ratios = table(["Case", "of", "to that of", "ratio", "lowest to highest", "goal"], rows);
  const about = `A file of ${place.fileBytes / GiB} GiB on ${place.fileSystem}. Each turn begins with memory that was in use a moment ago.`;
  return [`### ${placeTitles[first.place]}`, about, rates, ...(rows.length > 0 ? [ratios] : [])];
}

function comparisonCells(one: PathComparison): string[] {
  const { contender, against, measure, ratio, ratioLowest, ratioHighest, bound, goal, met } = one;
  const sign = bound === "at least" ? "≥" : "≤";
  return [
    `${measure}, ${contender}`,
    against,
    factor(ratio),
    `${factor(ratioLowest)} to ${factor(ratioHighest)}`,
    goal === null ? "–" : `${sign} ${goal} ${met ? "met" : "**missed**"}`,
  ];
}

function detailTable(cases: readonly PathCaseFigures[]): string {
  const rows = cases.flatMap(({ place, title, contenders }) =>
    contenders.map((one) => [`${placeTitles[place]}: ${title}`, one.server, ...detailCells(one)]),
  );
  return table(["Case", "server", ...detailTitles], rows);
}
