/** `npm run bench -- growth`: how cost grows with what there is of everything. */
import type { Bench } from "./bench.ts";
import { measureBandwidth } from "./growth-bandwidth.ts";
import { measureDelay } from "./growth-delay.ts";
import { measureIndex } from "./growth-index.ts";
import { measureJournal } from "./growth-journal.ts";
import { type GrowthCaseName, type GrowthOptions, growthHelp, growthOptions } from "./growth-options.ts";
import { formatGrowth } from "./growth-report.ts";
import { type GrowthFigures, type GrowthResults, mergeGrowth } from "./growth-results.ts";
import { measureSize } from "./growth-size.ts";
import { describeCommand, describeCommit, describeMachine } from "./machine.ts";
import { requireRoom } from "./place.ts";
import { endAllAtExit } from "./process-tree.ts";
import { createProgress, type Progress } from "./progress.ts";
import { publishedFigures, publishFigures, writeJson } from "./publication.ts";

const GiB = 1024 ** 3;
/** For the largest turn of each, as long as it is by itself. */
const roomGibibytes = { journal: 8, size: 6, index: 8, delay: 4, bandwidth: 3 } as const;

const measureCase: {
  readonly [Name in GrowthCaseName]: (options: GrowthOptions, progress: Progress) => Promise<GrowthFigures[Name]>;
} = {
  journal: measureJournal,
  size: measureSize,
  index: measureIndex,
  delay: measureDelay,
  bandwidth: measureBandwidth,
};

export const growthBench: Bench = {
  name: "growth",
  summary: "how cost grows: with the journal, the size of a volume, the index, and the delay and bandwidth of the link",
  help: growthHelp,
  run: runGrowth,
  format: (json) => formatGrowth(JSON.parse(json) as GrowthResults),
};

async function runGrowth(programArguments: readonly string[]): Promise<void> {
  const options = growthOptions(programArguments);
  const progress = createProgress(process.stderr);
  const run = new Date().toISOString();
  const about = {
    date: run,
    commit: await describeCommit(),
    command: describeCommand("growth", programArguments),
    machine: await describeMachine(["fio"]),
    rounds: options.rounds,
    secondsPerRound: options.seconds,
  };
  await requireRoom(options.folder, Math.max(...options.cases.map((name) => roomGibibytes[name])) * GiB);
  using _ending = endAllAtExit();
  const cases: Partial<Record<GrowthCaseName, object>> = {};
  for (const name of options.cases) cases[name] = { run, ...(await measureCase[name](options, progress)) };
  progress.clear();
  const results: GrowthResults = { bench: "growth", runs: [about], cases: cases as GrowthResults["cases"] };
  process.stdout.write(`${formatGrowth(results)}\n`);
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, results);
  if (!options.isPublished) return;
  const before = (await publishedFigures(growthBench)) as GrowthResults | undefined;
  await publishFigures(growthBench, mergeGrowth(before, results));
}
