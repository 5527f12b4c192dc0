/** The one run that `npm run chaos` asks for: a test, since all that cleans up behind processes and mounts hangs on the end of one. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChaos } from "./chaos.ts";

/** What `main.ts` says. */
export interface AskedRun {
  readonly seed: number;
  readonly minutes: number;
  readonly folder: string;
  /** Where the report is to be. */
  readonly reportFile: string;
  /** There is a file of that name when somebody has had enough. */
  readonly enoughFile: string;
}

const asked = JSON.parse(process.env.TIDEMARK_CHAOS ?? "null") as AskedRun;

test("chaos", { timeout: 0 }, async () => {
  const { folder, reportFile, enoughFile, ...wish } = asked;
  const report = await runChaos({
    ...wish,
    folder: { path: folder, file: (name) => join(folder, name) },
    tell: (line) => void process.stdout.write(`${line}\n`),
    isEnough: () => existsSync(enoughFile),
  });
  writeFileSync(reportFile, JSON.stringify(report));
  expect(report.failures).toEqual([]);
});
