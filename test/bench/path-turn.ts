/** One turn of one contender on the protected path: started, warmed up, measured, settled, ended, cleared away. */
import { tmpdir } from "node:os";
import { succeed } from "#test/clients/command.ts";
import { runFio, type Workload } from "./fio.ts";
import type { Ground, RunningContender } from "./path-contenders.ts";
import type { PathTurn } from "./path-results.ts";
import { createScratch } from "./scratch.ts";
import { warmMemory } from "./warm-memory.ts";

/** Code is compiled while it runs, files get their blocks; that is not what is asked for here. */
export const warmUpSeconds = 3;
const syncMs = 300_000;

export interface TurnPlan {
  readonly workload: Workload;
  /** Of each export. */
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly seed: number;
  /** Where everything is written, if that is a disk: synced first, so that nobody pays for what was before. */
  readonly diskFolder: string | undefined;
  /** Called right before what is measured, right behind it, and when all of it is settled. */
  readonly begun?: () => Promise<void>;
  readonly written?: () => Promise<void>;
  readonly settled?: () => Promise<void>;
}

export type Starter = (ground: Pick<Ground, "sockets">) => Promise<RunningContender>;

export async function takeTurn(start: Starter, plan: TurnPlan): Promise<PathTurn> {
  using sockets = createScratch(tmpdir());
  await using contender = await start({ sockets });
  const { workload, sizeBytes, seed } = plan;
  const run = { uris: contender.uris, sizeBytes, reportFile: sockets.file("report") };
  await contender.check();
  await runFio(warmUpOf(workload), { ...run, seconds: warmUpSeconds, seed: 2 * seed });
  await contender.settle();
  if (plan.diskFolder !== undefined) await syncFileSystem(plan.diskFolder);
  await warmMemory();
  await contender.check();
  await plan.begun?.();
  const before = await contender.usage();
  const measurement = await runFio(workload, { ...run, seconds: plan.seconds, seed: 2 * seed + 1 });
  const ended = performance.now();
  await plan.written?.();
  await contender.settle();
  const settleSeconds = (performance.now() - ended) / 1000;
  const after = await contender.usage();
  await plan.settled?.();
  await contender.check();
  return {
    ...measurement,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    settleSeconds,
    memoryPeakBytes: after.memoryPeakBytes,
  };
}

/** Whoever is measured at a small depth would take long to come to all that is compiled. */
function warmUpOf(workload: Workload): Workload {
  return { ...workload, depth: Math.max(workload.depth, Math.floor(32 / workload.connections), 1) };
}

export async function syncFileSystem(folder: string): Promise<void> {
  await succeed("sync", ["--file-system", folder], { timeoutMs: syncMs });
}
