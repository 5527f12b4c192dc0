/** Several stories of a store, one after the other. As a program it tells what came of them, as JSON, for those who break it. */
import { pathToFileURL } from "node:url";
import { StoreStory, type StoryCounts } from "./store-story.ts";

export interface StoryRun {
  readonly seeds: number;
  readonly failures: readonly { readonly seed: number; readonly message: string }[];
  readonly counts: StoryCounts;
}

const lifeCount = 6;
const nothing: StoryCounts = {
  crashes: 0,
  segments: 0,
  pieces: 0,
  collections: 0,
  removed: 0,
  rewritten: 0,
  snapshots: 0,
  folds: 0,
};

export async function runStories(first: number, count: number, failuresMax = 1): Promise<StoryRun> {
  const failures: { seed: number; message: string }[] = [];
  const counts = { ...nothing };
  let seed = first;
  for (; seed < first + count && failures.length < failuresMax; seed++) {
    const story = new StoreStory(seed);
    try {
      await story.live(lifeCount);
    } catch (error) {
      failures.push({ seed, message: `seed ${seed}: ${(error as Error).message}` });
    }
    for (const name of Object.keys(counts) as (keyof StoryCounts)[]) counts[name] += story.counts[name];
  }
  return { seeds: seed - first, failures, counts };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  // Of a broken program anything may go on behind its end.
  process.on("unhandledRejection", () => {});
  const [first = 1, count = 10, failuresMax = 1] = process.argv.slice(2).map(Number);
  process.stdout.write(JSON.stringify(await runStories(first, count, failuresMax)));
}
