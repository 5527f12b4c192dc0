/** What the delay of the link costs: of each write in sync, of many at a time, and in async, where no write waits for it. */
import type { Workload } from "./fio.ts";
import type { GrowthOptions } from "./growth-options.ts";
import { type DelayFigures, type DelayStep, middleOf, type Stretch } from "./growth-results.ts";
import { measureStretch } from "./growth-stretch.ts";
import { roundTripMs, startLinked } from "./link-between.ts";
import type { Progress } from "./progress.ts";
import { interleave } from "./rounds.ts";

const delaysMs = [0, 1, 10, 50] as const;
const sizeBytes = 1024 ** 3;
const warmUpSeconds = 2;
const deep: Workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 };
const single: Workload = { ...deep, depth: 1 };

type Turn = Pick<DelayStep, "syncSingle" | "syncDeep" | "async">;

export async function measureDelay(options: GrowthOptions, progress: Progress): Promise<DelayFigures> {
  const schedule = { rounds: options.rounds, warmUpRounds: 0 };
  const series = await interleave(delaysMs, schedule, async (delayMs, round): Promise<Turn> => {
    const show = (mode: string) =>
      progress.show(`delay: ${delayMs} ms, round ${round + 1} of ${options.rounds}, ${mode}`);
    show("sync");
    const [syncSingle, syncDeep] = await turn(options, { delayMs, mode: "sync", workloads: [single, deep] });
    show("async");
    const [async] = await turn(options, { delayMs, mode: "async", workloads: [deep] });
    return { syncSingle, syncDeep, async } as Turn;
  });
  const steps: DelayStep[] = [];
  for (const [delayMs, turns] of series) {
    progress.show(`delay: the round trip of ${delayMs} ms`);
    steps.push({
      ...{ delayMs, roundTripMs: await roundTripMs({ megabits: Number.POSITIVE_INFINITY, delayMs }) },
      syncSingle: middleOf(turns.map((one) => one.syncSingle)),
      syncDeep: middleOf(turns.map((one) => one.syncDeep)),
      async: middleOf(turns.map((one) => one.async)),
    });
  }
  return { steps };
}

interface TurnPlan {
  readonly delayMs: number;
  readonly mode: "sync" | "async";
  readonly workloads: readonly Workload[];
}

async function turn(options: GrowthOptions, { delayMs, mode, workloads }: TurnPlan): Promise<Stretch[]> {
  const link = { megabits: Number.POSITIVE_INFINITY, delayMs };
  await using linked = await startLinked(options.folder, { link, mode, sizeBytes });
  const { tidemark, sockets } = linked;
  const run = { sizeBytes, seed: 1, reportFile: sockets.file("report") };
  await measureStretch(tidemark, { ...run, workload: deep, seconds: warmUpSeconds });
  const stretches: Stretch[] = [];
  for (const workload of workloads) {
    await tidemark.settle();
    await tidemark.check();
    stretches.push(await measureStretch(tidemark, { ...run, workload, seconds: options.seconds }));
  }
  await tidemark.check();
  return stretches;
}
