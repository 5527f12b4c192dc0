/** Sealing what nobody has seen before, with an index that has ever more fingerprints. */
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { GrowthOptions } from "./growth-options.ts";
import type { IndexFigures } from "./growth-results.ts";
import type { Progress } from "./progress.ts";
import { interleave } from "./rounds.ts";
import { createScratch } from "./scratch.ts";
import { folderBytes } from "./store-contenders.ts";
import { carryOut } from "./store-orders.ts";
import { warmMemory } from "./warm-memory.ts";

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;
const millions = [0, 1, 10, 100] as const;
const segmentBytes = 256 * MiB;
/** What is gathered of them is written in the end: so each turn has one change of the index. */
const segmentCount = 12;

export async function measureIndex(options: GrowthOptions, progress: Progress): Promise<IndexFigures> {
  using scratch = createScratch(options.folder);
  const counts = millions.filter((count) => count <= options.fingerprintMillions);
  const filled = (count: number) => scratch.file(`filled-${count}`);
  for (const count of counts.filter((one) => one > 0)) {
    progress.show(`index: ${count} million fingerprints`);
    await carryOut({ word: "fill-index", folder: filled(count), fingerprintCount: count * 1e6 });
  }
  const indexBytes = new Map(
    counts.map((count) => [count, count === 0 ? 0 : folderBytes(join(filled(count), "index"))]),
  );
  const schedule = { rounds: options.rounds, warmUpRounds: 0 };
  const order = { word: "seal-new", threadCount: 2, segmentCount, firstSegment: 1 } as const;
  const series = await interleave(counts, schedule, async (count, round) => {
    progress.show(`index: ${count} million fingerprints, round ${round + 1} of ${options.rounds}`);
    const folder = scratch.file("turn");
    // Of its own, since it has more of them afterwards.
    if (existsSync(filled(count))) cpSync(filled(count), folder, { recursive: true });
    await warmMemory(5 * GiB);
    const done = await carryOut({ ...order, folder });
    rmSync(folder, { recursive: true });
    return done;
  });
  const sealedBytes = segmentCount * segmentBytes;
  const steps = [...series].map(([count, turns]) => ({
    fingerprints: count * 1e6,
    indexBytes: indexBytes.get(count) ?? 0,
    bytesPerSecond: turns.map(({ seconds }) => sealedBytes / seconds),
    bytesPerCpuSecond: turns.map(({ cpuSeconds }) => sealedBytes / cpuSeconds),
    memoryPeakBytes: Math.max(...turns.map(({ memoryPeakBytes }) => memoryPeakBytes)),
  }));
  return { sealedBytes, steps };
}
