/** What states of images take in each contender's repository. */
import { statSync } from "node:fs";
import type { Progress } from "./progress.ts";
import { createScratch } from "./scratch.ts";
import {
  openRepository,
  type Repository,
  type StoreContenderName,
  settingsOf,
  storePeerNames,
} from "./store-contenders.ts";
import { type DataSet, dataSets } from "./store-data-sets.ts";
import type { StoreOptions } from "./store-options.ts";
import { judged, type StoreCaseFigures, type StoreGoal } from "./store-results.ts";

const MiB = 1024 ** 2;
/** A sealed record of the metadata journal takes less; a test says so. It comes on top of blocks that were overwritten. */
const recordBytes = 16;

interface Sizes {
  readonly set: DataSet;
  readonly imageBytes: number;
  /** Of each contender, after each state. */
  readonly physical: ReadonlyMap<StoreContenderName, readonly number[]>;
}

export async function measureReduction(options: StoreOptions, progress: Progress): Promise<StoreCaseFigures> {
  const all: Sizes[] = [];
  for (const set of dataSets(options.reductionMebibytes)) all.push(await measureSet(set, options, progress));
  const names = ["tidemark", ...options.peers] as const;
  const rows = all.flatMap(({ set, imageBytes, physical }) => [
    [set.title, megabytes(imageBytes), ...names.map((name) => megabytes(physical.get(name)?.at(-1) ?? 0))],
    ["of these the first state", "", ...names.map((name) => megabytes(physical.get(name)?.[0] ?? 0))],
  ]);
  const settings = names.map((name) => `${name}: ${settingsOf[name].small}`).join("; ");
  const about = [
    `What is kept of states of an image, in MiB, with what describes it. ${settings}.`,
    ...all.map(({ set }) => `_${set.title}_: ${set.about}.`),
  ].join(" ");
  const tables = [{ header: ["States", "images", ...names], rows }];
  return { name: "reduction", title: "Reduction", about, tables, goals: all.flatMap(goalsOf) };
}

async function measureSet(set: DataSet, options: StoreOptions, progress: Progress): Promise<Sizes> {
  using scratch = createScratch(options.folder);
  using repositories = createScratch(options.folder);
  const open: Repository[] = [];
  for (const name of ["tidemark", ...options.peers] as const) {
    open.push(await openRepository(name, repositories.file(name), "small"));
  }
  const physical = new Map(open.map(({ name }) => [name, [] as number[]]));
  let [state, imageBytes, recordCount] = [0, 0, 0];
  for await (const { image, numbersFile } of set.states(scratch)) {
    const { size } = statSync(image);
    imageBytes += size;
    if (numbersFile !== undefined) recordCount += statSync(numbersFile).size / 4;
    for (const repository of open) {
      progress.show(`${set.title}: state ${state}, ${repository.name}`);
      await repository.add(image, state, numbersFile);
      const extraBytes = repository.name === "tidemark" ? recordCount * recordBytes : 0;
      physical.get(repository.name)?.push(repository.physicalBytes() + extraBytes);
    }
    state++;
  }
  return { set, imageBytes, physical };
}

/** What came behind the first state is what a stream of overwrites is about; else all of it counts. */
function goalsOf({ set, physical }: Sizes): StoreGoal[] {
  const taken = (name: StoreContenderName) => {
    const sizes = physical.get(name);
    if (sizes === undefined) return Number.POSITIVE_INFINITY;
    const last = sizes.at(-1) ?? 0;
    return set.isOfChanges ? last - (sizes[0] ?? 0) : last;
  };
  const best = storePeerNames.reduce((one, other) => (taken(other) < taken(one) ? other : one));
  if (!Number.isFinite(taken(best))) return [];
  const what = `${set.title}: ${set.isOfChanges ? "what the overwrites take" : "what all takes"}, to ${best}`;
  const why = set.why === undefined ? {} : { why: set.why };
  return [
    judged({ what, unit: "×", value: taken("tidemark") / taken(best), bound: "at most", goal: set.goal, ...why }),
  ];
}

function megabytes(bytes: number): string {
  return (bytes / MiB).toFixed(0);
}
