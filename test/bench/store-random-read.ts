/** Blocks of the store one by one, each out of a frame that nobody has asked for before. */
import { rmSync } from "node:fs";
import type { Progress } from "./progress.ts";
import { median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";
import { makePackagesImage } from "./store-image.ts";
import type { StoreOptions } from "./store-options.ts";
import { carryOut } from "./store-orders.ts";
import { judged, type StoreCaseFigures } from "./store-results.ts";

const MiB = 1024 ** 2;
const readCountMax = 60_000;
const goal = 30;

export async function measureRandomRead(options: StoreOptions, progress: Progress): Promise<StoreCaseFigures> {
  using scratch = createScratch(options.folder);
  const [image, folder] = [scratch.file("image"), scratch.file("store")];
  await makePackagesImage(scratch, image, options.imageMebibytes * MiB);
  await carryOut({ word: "seal", folder, threadCount: 2, effort: "normal", image });
  rmSync(image);
  const rates: number[] = [];
  let readCount = 0;
  for (let round = 0; round <= options.rounds; round++) {
    progress.show(`random reads: round ${round}`);
    const { seconds, blockCount } = await carryOut({ word: "random", folder, readCount: readCountMax });
    readCount = blockCount;
    if (round > 0) rates.push(blockCount / seconds / 1000);
  }
  const span = { lowest: Math.floor(Math.min(...rates)), highest: Math.floor(Math.max(...rates)) };
  const about = [
    `4 KiB at a time, one after the other, ${readCount} of them, each out of another frame of four blocks, and none of zeros;`,
    "the objects lie in memory, what is read is not in the store's cache.",
  ].join(" ");
  const what = "random reads of cold blocks";
  const goals = [judged({ what, unit: " k/s", value: median(rates), ...span, bound: "at least", goal })];
  return { name: "random-read", title: "Random reads", about, tables: [], goals };
}
