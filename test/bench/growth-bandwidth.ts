/** What a host gets where the link has less bandwidth than it writes with, once the lag is as large as it may be. */
import type { Workload } from "./fio.ts";
import type { GrowthOptions } from "./growth-options.ts";
import type { BandwidthFigures, BandwidthStep } from "./growth-results.ts";
import { measureStretch } from "./growth-stretch.ts";
import { startLinked } from "./link-between.ts";
import type { Progress } from "./progress.ts";
import type { RunningTidemark } from "./tidemark.ts";

const megabitsOfLinks = [10, 50, 200] as const;
const modes = ["async", "aggregated"] as const;
const delayMs = 20;
const sizeBytes = 1024 ** 3;
const blockBytes = 4096;
/** More than any of the links. */
const askedBytesPerSecond = 32 * 1024 ** 2;
/** In bytes, so that as much may wait for a thin link as for a wide one. */
const lagBytesMax = 64 * 1024 ** 2;
/** Until the limit has been reached and all moves on evenly. */
const rampSeconds = 8;
/** Of what is measured, for each second that others are measured for: aggregates are cut once a second. */
const secondsPerSecond = 4;

/** Nine tenths to a hundredth of the volume, so that there is something to leave out. */
const workload: Workload = {
  ...{ access: "randwrite", blockBytes, depth: 32, connections: 1, zones: "90/1:10/99" },
  bytesPerSecond: askedBytesPerSecond,
};

export async function measureBandwidth(options: GrowthOptions, progress: Progress): Promise<BandwidthFigures> {
  const seconds = options.seconds * secondsPerSecond;
  const steps: BandwidthStep[] = [];
  for (const megabits of megabitsOfLinks) {
    for (const mode of modes) {
      progress.show(`bandwidth: ${megabits} Mbit/s, ${mode}, ${rampSeconds + seconds} s`);
      steps.push(await measureStep(options.folder, { megabits, mode, seconds }));
    }
  }
  return { delayMs, seconds, askedBytesPerSecond, lagBytesMax, steps };
}

interface StepPlan {
  readonly megabits: number;
  readonly mode: (typeof modes)[number];
  readonly seconds: number;
}

async function measureStep(folder: string, { megabits, mode, seconds }: StepPlan): Promise<BandwidthStep> {
  const setup = { link: { megabits, delayMs }, mode, sizeBytes, modes: { lagBytes: lagBytesMax } };
  await using linked = await startLinked(folder, setup);
  const { tidemark, sockets } = linked;
  const run = { workload, sizeBytes, reportFile: sockets.file("report") };
  await measureStretch(tidemark, { ...run, seconds: rampSeconds, seed: 1 });
  const before = await shippedBytes(tidemark);
  const stretch = await measureStretch(tidemark, { ...run, seconds, seed: 2 });
  const after = await shippedBytes(tidemark);
  return { megabits, mode, stretch, shippedShare: (after - before) / (stretch.iops * seconds * blockBytes) };
}

async function shippedBytes(tidemark: RunningTidemark): Promise<number> {
  const { groups } = await tidemark.status();
  return groups.reduce((sum, group) => sum + group.shippedBytes, 0);
}
