/**
 * `npm run sim -- --breaks`: breaks the product in one place after the other, and writes down in docs/simulation.md which
 * seeds found it. A break that nothing finds, or that does not fit the code any more, is a failure.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeCommit } from "#test/bench/machine.ts";
import { type BreakFinding, runBreak } from "./break-run.ts";
import { breaks } from "./breaks.ts";
import { withTable } from "./table.ts";

const project = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const documentPath = join(project, "docs/simulation.md");

/** All of them, one after the other; true: each was found. */
export async function runBreaks(workers: number): Promise<boolean> {
  const when = `At commit ${await describeCommit()}, on ${new Date().toISOString().slice(0, 10)}:`;
  const findings: BreakFinding[] = [];
  for (const break_ of breaks) {
    const finding = runBreak(break_, { project, first: 1, seedsMax: 4000, failuresMax: 3, workers });
    findings.push(finding);
    const [first] = finding.found;
    console.log(`${finding.name}: ${first === undefined ? "NOT FOUND" : first.message} (of ${finding.seedsRun} seeds)`);
  }
  writeFileSync(documentPath, withTable(readFileSync(documentPath, "utf8"), when, findings));
  return findings.every(({ found }) => found.length > 0);
}
