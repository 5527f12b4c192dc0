/**
 * Writing, and opening points, with ever more records behind. What lies behind are trims of a block each: records like those of
 * writes in all journals, pieces and snapshots, but without data, of which ten million blocks would fill the memory.
 */
import { tmpdir } from "node:os";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { runFio, type Workload } from "./fio.ts";
import type { GrowthOptions } from "./growth-options.ts";
import type { JournalFigures, JournalStep } from "./growth-results.ts";
import { measureStretch } from "./growth-stretch.ts";
import type { Progress } from "./progress.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";
import { openPoint } from "./view-opening.ts";

const GiB = 1024 ** 3;
const volume = "bench";
const sizeBytes = 64 * GiB;
const millions = [0, 1, 4, 10] as const;
const pointCount = 20;
const warmUpSeconds = 3;
/** Of the filling, which ends with its count. */
const fillSecondsMax = 900;
const writes: Workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 };

export async function measureJournal(options: GrowthOptions, progress: Progress): Promise<JournalFigures> {
  using scratch = createScratch(options.folder);
  using sockets = createScratch(tmpdir());
  await using tidemark = await startTidemark({
    ...{ dataFolder: scratch.file("data"), sockets, mode: "async", processes: "one" },
    volumes: [{ name: volume, source: scratch.file("source"), sizeBytes }],
    settings: { views: { listen: sockets.file("views") } },
  });
  const run = { sizeBytes, seed: 1, reportFile: sockets.file("report") };
  await measureStretch(tidemark, { ...run, workload: writes, seconds: warmUpSeconds });
  const random = new SeededRandom(10);
  const steps: JournalStep[] = [];
  for (const count of millions.filter((one) => one <= options.recordMillions)) {
    progress.show(`journal: up to ${count} million records`);
    await fill(tidemark, count * 1e6, sockets);
    await tidemark.settle();
    await tidemark.check();
    progress.show(`journal: ${count} million records behind`);
    const recordsBehind = await recordCount(tidemark);
    const plan = { ...run, workload: writes, seconds: options.seconds, seed: 2 + count };
    const stretch = await measureStretch(tidemark, plan);
    await tidemark.settle();
    const openedMs = await openPoints(tidemark, random);
    const { anonymousBytes } = await tidemark.usage();
    steps.push({ recordsBehind, stretch, openedMs, anonymousBytes });
  }
  return { pointCount, steps };
}

/** What is there already counts. */
async function fill(tidemark: RunningTidemark, wanted: number, sockets: Scratch): Promise<void> {
  const missing = wanted - (await recordCount(tidemark));
  if (missing <= 0) return;
  const trims: Workload = { ...writes, access: "randtrim", writesMax: missing };
  const run = { uris: tidemark.uris, sizeBytes, seconds: fillSecondsMax, seed: wanted };
  await runFio(trims, { ...run, reportFile: sockets.file("report") });
}

async function recordCount(tidemark: RunningTidemark): Promise<number> {
  const { groups } = await tidemark.status();
  return Math.max(...groups.map(({ lastSeq }) => lastSeq));
}

/** The first of all is not counted: it starts the process that serves them. */
async function openPoints(tidemark: RunningTidemark, random: SeededRandom): Promise<number[]> {
  const last = await recordCount(tidemark);
  const api = `${tidemark.apis.up}/api/v1`;
  const openedMs: number[] = [];
  for (let count = 0; count <= pointCount; count++) {
    const point = `seq:${random.between(2, last)}`;
    await using opened = await openPoint(api, { volume, point, nearest: true });
    openedMs.push(opened.tookMs);
  }
  return openedMs.slice(1);
}
