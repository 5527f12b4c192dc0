/** Sealing while half of a store is collected, to sealing before and after. */
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { createScratch } from "./scratch.ts";
import type { StoreOptions } from "./store-options.ts";
import { carryOut } from "./store-orders.ts";
import { judged, type StoreCaseFigures } from "./store-results.ts";
import { warmMemory } from "./warm-memory.ts";

const GiB = 1024 ** 3;
const ratioGoal = 0.7;
const segmentMebibytes = 256;
/** Of a segment, a third of which is noise; half of it again in its next generation. */
const objectBytesMax = 100 * 1024 ** 2;
const newGenerationShare = 1.5;
/** Those before, beside and after. */
const otherSegments = 36;

export async function measureCollection(options: StoreOptions, progress: Progress): Promise<StoreCaseFigures> {
  using scratch = createScratch(options.folder);
  progress.show("collection");
  const segmentCount = Math.ceil(options.collectedMebibytes / segmentMebibytes);
  const neededBytes = (segmentCount * newGenerationShare + otherSegments) * objectBytesMax;
  await requireRoom(options.folder, neededBytes, "see --collected and --folder");
  await warmMemory(neededBytes);
  const order = { word: "collect", folder: scratch.file("store"), threadCount: 2, segmentCount } as const;
  const { figures, memoryPeakBytes } = await carryOut(order, progress);
  const {
    before = 0,
    beside = 0,
    after = 0,
    besideCount = 0,
    collectSeconds = 0,
    freedBytes = 0,
    isOverEarly,
  } = figures ?? {};
  const ratio = (2 * beside) / (before + after);
  const gibibytes = ((segmentCount * segmentMebibytes) / 1024).toFixed(0);
  const when = isOverEarly === 1 ? "until it was over" : "meanwhile, and it went on behind them";
  const about = [
    `A store of ${gibibytes} GiB, of which half is not needed any more, in runs of 64 blocks, in all of its segments:`,
    "each of them is written anew. Beside that new segments are sealed all the time, to which collection gives way;",
    `it is held back by nothing else. ${besideCount} segments were sealed ${when};`,
    "their rate is held against that of others before and after.",
  ].join(" ");
  const rows = [
    ["sealed before, MB/s", (before / 1e6).toFixed(0)],
    ["sealed beside it, MB/s", (beside / 1e6).toFixed(0)],
    ["sealed after, MB/s", (after / 1e6).toFixed(0)],
    ["the collection took, s", collectSeconds.toFixed(0)],
    ["it freed, GiB", (freedBytes / GiB).toFixed(1)],
    ["most memory of the process, MiB", (memoryPeakBytes / 1024 ** 2).toFixed(0)],
  ];
  const what = "sealing beside it, to sealing without";
  const goals = [judged({ what, unit: "×", value: ratio, bound: "at least", goal: ratioGoal })];
  const tables = [{ header: ["Collection of half of a store", ""], rows }];
  return { name: "collection", title: "Beside a collection", about, tables, goals };
}
