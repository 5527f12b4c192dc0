/** The table in docs/simulation.md that says which seeds found which break. */
import { replaceSection } from "#test/bench/markdown.ts";
import type { BreakFinding } from "./break-run.ts";

/** The rest of a long one is for whoever runs the seed again. */
const messageCharactersMax = 160;

/** `when`: a sentence before the table. */
export function withTable(document: string, when: string, findings: readonly BreakFinding[]): string {
  return replaceSection(document, "breaks", `${when}\n\n${tableOf(findings)}`, "npm run sim -- --breaks");
}

function tableOf(findings: readonly BreakFinding[]): string {
  const rows = findings.map(({ name, harm, seedsRun, found }) => {
    const seeds = found.map(({ seed }) => seed).join(", ");
    const message = (found[0]?.message ?? "not found")
      .replace(/^seed \d+: /, "")
      .replaceAll("|", "/")
      .slice(0, messageCharactersMax);
    return `| ${name} | ${harm} | ${seeds} of ${seedsRun} | ${message} |`;
  });
  return ["| break | harm | found by seeds | said by the first |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
