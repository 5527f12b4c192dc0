/** What was measured of the store, in words and tables. */
import { table, wrapped } from "./markdown.ts";
import { provenance } from "./provenance.ts";
import type { StoreCaseFigures, StoreGoal, StoreResults } from "./store-results.ts";

export function formatStoreResults(results: StoreResults): string {
  const goals = results.cases.flatMap((one) => one.goals.map((goal) => ({ ...goal, title: one.title })));
  const missed = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - missed.length} of ${goals.length}.`;
  const verdict = missed.map((one) => `- ${one.title}: ${one.what}, ${figure(one)}, where ${sign(one)} is the goal`);
  return [
    ...runsText(results),
    missed.length === 0 ? count : [`${count} Missed:`, "", ...verdict].join("\n"),
    ...results.cases.flatMap(caseText),
  ].join("\n\n");
}

/** Where not all is of one run, each says what is of it. */
function runsText({ runs, cases }: StoreResults): string[] {
  if (runs.length < 2) return runs.map(provenance);
  return runs.flatMap((run) => {
    const names = cases.filter((one) => one.run === run.date).map(({ name }) => name);
    return [provenance(run), wrapped(`Of this run: ${names.join(", ")}.`)];
  });
}

function caseText({ title, about, tables, goals }: StoreCaseFigures): string[] {
  const rows = goals.map((one) => [one.what, figure(one), span(one), `${sign(one)} ${one.met ? "met" : "**missed**"}`]);
  const reasons = goals.flatMap(({ what, met, why }) =>
    met || why === undefined ? [] : [wrapped(`- ${what}: ${why}`)],
  );
  return [
    `### ${title}`,
    wrapped(about),
    ...tables.map(({ header, rows: cells }) => table(header, cells)),
    ...(rows.length > 0 ? [table(["Goal", "measured", "lowest to highest", "wanted"], rows)] : []),
    ...(reasons.length > 0 ? [reasons.join("\n")] : []),
  ];
}

function figure({ value, unit }: StoreGoal): string {
  return `${value}${unit}`;
}

function span({ lowest, highest, unit }: StoreGoal): string {
  return lowest === undefined || highest === undefined ? "–" : `${lowest}${unit} to ${highest}${unit}`;
}

function sign({ bound, goal, unit }: StoreGoal): string {
  return `${bound === "at least" ? "≥" : "≤"} ${goal}${unit}`;
}
