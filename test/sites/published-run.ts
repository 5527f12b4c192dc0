/** What a run of many seeds leaves in docs/simulation.md. */
import { replaceSection, table, wrapped } from "#test/bench/markdown.ts";
import type { RangeSummary } from "./seed-range.ts";

export interface RunOfSeeds {
  readonly commit: string;
  readonly date: string;
  readonly first: number;
  readonly summary: RangeSummary;
}

export function withRun(document: string, run: RunOfSeeds): string {
  return replaceSection(document, "seeds", textOf(run), "npm run sim -- --publish");
}

function textOf({ commit, date, first, summary }: RunOfSeeds): string {
  const { seeds, simulatedMs, requests, records, stopped, failures, faults } = summary;
  const failed = failures.length === 0 ? "none failed" : `failed: ${failures.map(({ seed }) => seed).join(", ")}`;
  const sum = [
    `Seeds ${grouped(first)} to ${grouped(first + seeds - 1)} at commit ${commit}, on ${date.slice(0, 10)}: **${failed}**.`,
    `${grouped(Math.round(simulatedMs / 3_600_000))} simulated hours, ${grouped(requests)} requests of hosts, ${grouped(records)} records;`,
    `${grouped(stopped)} worlds ended with a site that had stopped itself for a good reason.`,
  ];
  const rows = Object.entries(faults)
    .toSorted(([, one], [, other]) => other - one)
    .map(([kind, count]) => [kind, grouped(count)]);
  return `${wrapped(sum.join(" "))}\n\n${table(["brought about", "times"], rows)}`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
