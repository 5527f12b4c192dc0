/** `npm run bench -- store`: the store beside programs for backups. */
import { mkdirSync } from "node:fs";
import type { Bench } from "./bench.ts";
import { describeCommand, describeCommit, describeMachine } from "./machine.ts";
import { createProgress, type Progress } from "./progress.ts";
import { publishedFigures, publishFigures, writeJson } from "./publication.ts";
import { measureCollection } from "./store-collection.ts";
import { measureFullIndex } from "./store-full-index.ts";
import { measureImage } from "./store-image.ts";
import { parseStoreOptions, type StoreOptions, storeHelp } from "./store-options.ts";
import { measureRandomRead } from "./store-random-read.ts";
import { measureReduction } from "./store-reduction.ts";
import { formatStoreResults } from "./store-report.ts";
import { mergeStoreResults, type StoreCaseFigures, type StoreCaseName, type StoreResults } from "./store-results.ts";

const measure: {
  readonly [Name in StoreCaseName]: (options: StoreOptions, progress: Progress) => Promise<StoreCaseFigures>;
} = {
  image: measureImage,
  "random-read": measureRandomRead,
  reduction: measureReduction,
  "full-index": measureFullIndex,
  collection: measureCollection,
};

export const storeBench: Bench = {
  name: "store",
  summary: "the store beside restic, borg and casync",
  help: storeHelp,
  run: runStore,
  format: (json) => formatStoreResults(JSON.parse(json)),
};

async function runStore(programArguments: readonly string[]): Promise<void> {
  const options = parseStoreOptions(programArguments);
  const progress = createProgress(process.stderr);
  mkdirSync(options.folder, { recursive: true });
  const about = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("store", programArguments),
    machine: await describeMachine(options.peers),
    rounds: options.rounds,
  };
  const cases: StoreResults["cases"][number][] = [];
  for (const name of options.cases) cases.push({ run: about.date, ...(await measure[name](options, progress)) });
  progress.clear();
  const results: StoreResults = { bench: "store", runs: [about], cases };
  process.stdout.write(`${formatStoreResults(results)}\n`);
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, results);
  if (!options.isPublished) return;
  const before = (await publishedFigures(storeBench)) as StoreResults | undefined;
  await publishFigures(storeBench, mergeStoreResults(before, results));
}
