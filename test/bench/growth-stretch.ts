/** What a host gets of a Tidemark for some seconds, and how far the remote appliance is behind meanwhile. */
import { setTimeout as wait } from "node:timers/promises";
import { runFio, type Workload } from "./fio.ts";
import type { Stretch } from "./growth-results.ts";
import type { RunningTidemark } from "./tidemark.ts";

const sampleEveryMs = 250;

export interface StretchPlan {
  readonly workload: Workload;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly seed: number;
  readonly reportFile: string;
}

export async function measureStretch(tidemark: RunningTidemark, plan: StretchPlan): Promise<Stretch> {
  const { workload, ...run } = plan;
  const over = new AbortController();
  const lag = mostLag(tidemark, over.signal);
  try {
    const { iops, latencyP50Us, latencyP99Us } = await runFio(workload, { ...run, uris: tidemark.uris });
    over.abort();
    return { iops, latencyP50Us, latencyP99Us, lagSeconds: await lag };
  } finally {
    over.abort();
    await lag;
  }
}

async function mostLag(tidemark: RunningTidemark, over: AbortSignal): Promise<number> {
  let most = 0;
  while (!over.aborted) {
    const { groups } = await tidemark.status();
    most = Math.max(most, ...groups.map(({ lagSeconds }) => lagSeconds));
    await wait(sampleEveryMs, undefined, { signal: over }).catch(() => {});
  }
  return most;
}
