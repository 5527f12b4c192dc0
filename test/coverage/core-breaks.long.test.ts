/** Tests of the pure parts are run in copies of the project that have a mistake in one decision: some of them must fail. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { someOf } from "#test/long-share.ts";
import { BrokenCopy } from "#test/sites/breaks/break.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { coreBreaks } from "./core-breaks.ts";

const timeoutMs = 600_000;
const program = join(projectRoot, "node_modules/vitest/vitest.mjs");

async function failedCount(folder: string, tests: readonly string[]): Promise<number> {
  const files = tests.map((name) => `test/${name}.test.ts`);
  const outcome = join(folder, "outcome.json");
  // All that would be told to whoever runs this run of tests is of no use to that one.
  const environment = { VITEST: "", VITEST_POOL_ID: "", VITEST_WORKER_ID: "" };
  const line = [program, "run", "--root", folder, "--reporter=json", `--outputFile=${outcome}`, "--bail=1"];
  const { stderr } = await run(process.execPath, [...line, "--maxWorkers=1", ...files], { timeoutMs, environment });
  if (!existsSync(outcome)) throw new Error(`the tests did not come to an end: ${stderr}`);
  const { numFailedTests, numTotalTests } = JSON.parse(readFileSync(outcome, "utf8")) as Record<string, number>;
  // A file that cannot even be loaded would be no finding.
  expect(numTotalTests).toBeGreaterThan(0);
  return numFailedTests as number;
}

test.each(someOf(coreBreaks))("tests of its own find it: $name", { timeout: timeoutMs }, async ({ tests, changes }) => {
  const copy = new BrokenCopy(projectRoot, changes);
  try {
    expect(await failedCount(copy.folder, tests)).toBeGreaterThan(0);
  } finally {
    copy.remove();
  }
});
