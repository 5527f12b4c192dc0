/** Sealing what is new with a large index and with an empty one, in turns; and the memory that it takes. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { indexFilterBitsPerKey, indexFilterBytesDefault, liveMarksBytes } from "#src/core/store-limits.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { roundDown } from "./rounding.ts";
import { interleave, median, ratioOf } from "./rounds.ts";
import { createScratch } from "./scratch.ts";
import { folderBytes } from "./store-contenders.ts";
import type { StoreOptions } from "./store-options.ts";
import { type ChildAnswer, carryOut } from "./store-orders.ts";
import { judged, type StoreCaseFigures } from "./store-results.ts";
import { warmMemory } from "./warm-memory.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const segmentBytes = 256 * MiB;
/** As much as is gathered before it is written: so each turn has one change of the index. */
const segmentCount = 23;
const ratioGoal = 0.7;
const blocksPerTerabyte = 1e12 / 4096;
const bytesPerSegment = 50;
/** In the file of the index: 27 when it was filled, and up to this when three turns have written to pages all over it. */
const indexBytesPerFingerprint = 125;
/** What a turn seals, and the memory that is in use a moment before. */
const turnBytes = segmentCount * 100 * MiB + 5 * GiB;

type Which = "empty" | "full";

export async function measureFullIndex(options: StoreOptions, progress: Progress): Promise<StoreCaseFigures> {
  using scratch = createScratch(options.folder);
  const folders = { empty: scratch.file("empty"), full: scratch.file("full") };
  progress.show(`index: ${options.fingerprintMillions} million fingerprints`);
  const fingerprintCount = options.fingerprintMillions * 1e6;
  await requireRoom(
    options.folder,
    fingerprintCount * indexBytesPerFingerprint + turnBytes,
    "see --fingerprints and --folder",
  );
  const filling = await carryOut({ word: "fill-index", folder: folders.full, fingerprintCount }, progress);
  const indexBytes = folderBytes(join(folders.full, "index"));
  const order = { word: "seal-new", threadCount: 2, segmentCount } as const;
  const schedule = { rounds: options.rounds, warmUpRounds: 0 };
  const series = await interleave(["empty", "full"] as const, schedule, async (which, round): Promise<ChildAnswer> => {
    progress.show(`index: round ${round + 1}, ${which}`);
    await warmMemory(5 * GiB);
    const done = await carryOut({ ...order, folder: folders[which], firstSegment: 1 + round * segmentCount });
    rmSync(which === "empty" ? folders.empty : join(folders.full, "objects"), { recursive: true });
    return done;
  });
  const rates = (which: Which) =>
    (series.get(which) ?? []).map(({ seconds }) => (segmentCount * segmentBytes) / seconds);
  const peak = (which: Which) => Math.max(...(series.get(which) ?? []).map(({ memoryPeakBytes }) => memoryPeakBytes));
  const { ofMedians, lowest, highest } = ratioOf(rates("full"), rates("empty"));
  const span = { lowest: roundDown(lowest, 2), highest: roundDown(highest, 2) };
  const what = "with the full index, to the empty one";
  const rows = (["empty", "full"] as const).map((which) => [
    which,
    (median(rates(which)) / 1e6).toFixed(0),
    (peak(which) / MiB).toFixed(0),
  ]);
  const about = [
    `${segmentCount} segments of 256 MiB that nobody has seen before, a third of each block noise, sealed with an index that`,
    `is empty, and with one of ${options.fingerprintMillions} million fingerprints, ${(indexBytes / GiB).toFixed(1)} GiB;`,
    "writing down what was gathered is part of it.",
    `Filling it took ${filling.seconds.toFixed(0)} s. Memory for larger stores is reckoned: the filter, and`,
    `${bytesPerSegment} bytes for each segment, on top of what is resident with the empty index, with all that is`,
    `gathered. A collection beside it takes ${liveMarksBytes / MiB} MiB at most for its marks.`,
  ].join(" ");
  const goals = [judged({ what, unit: "×", value: ofMedians, ...span, bound: "at least", goal: ratioGoal })];
  const tables = [
    { header: ["Index", "sealed, MB/s", "most memory, MiB"], rows },
    {
      header: ["Unique data", "most memory, MiB, filter as it is by itself", "filter as it is wanted"],
      rows: memoryRows(peak("empty")),
    },
  ];
  return { name: "full-index", title: "A large index, and memory", about, tables, goals };
}

/** A filter is there twice for a moment, while it is made anew for a larger index. */
function memoryRows(baseBytes: number): string[][] {
  return [1, 10, 100].map((terabytes) => {
    const blocks = terabytes * blocksPerTerabyte;
    const wantedBytes = (blocks * indexFilterBitsPerKey) / 8;
    const others = baseBytes + ((terabytes * 1e12) / segmentBytes) * bytesPerSegment;
    const megabytes = (filterBytes: number) => ((others + 2 * filterBytes) / MiB).toFixed(0);
    return [`${terabytes} TB`, megabytes(Math.min(wantedBytes, indexFilterBytesDefault)), megabytes(wantedBytes)];
  });
}
