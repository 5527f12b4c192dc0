/** Looks at the three programs from outside: at their metrics, as whoever watches them does, and at what the kernel has of them. */
import { readdir, readFile } from "node:fs/promises";
import type { RoleName } from "#src/control/role.ts";
import { roleNames } from "#src/control/role.ts";
import { noWayGiven } from "#src/host/node/process.ts";
import { descendantsOf, parentIds, processUsage } from "./process-usage.ts";
import { bucketsBetween, MetricsText, percentileSeconds } from "./steady-metrics.ts";
import type { Sample, SteadyProcess } from "./steady-series.ts";
import type { RunningTidemark } from "./tidemark.ts";

const MiB = 2 ** 20;

interface Look {
  readonly atMs: number;
  readonly metrics: Readonly<Record<RoleName, MetricsText>>;
}

/** What went on beside the load, since the programs were started. */
export interface SteadyWorks {
  readonly sealedBytes: number;
  readonly snapshots: number;
  readonly collections: number;
  readonly freedBytes: number;
  /** Told at one look at most. */
  readonly problemsMax: number;
}

export class SteadySampler {
  readonly #tidemark: Pick<RunningTidemark, "apis" | "processIds">;
  #before: Look;
  #collectedAt: number | undefined;
  #collections = 0;
  #problemsMax = 0;

  private constructor(tidemark: Pick<RunningTidemark, "apis" | "processIds">, first: Look) {
    this.#tidemark = tidemark;
    this.#before = first;
  }

  static async begin(tidemark: Pick<RunningTidemark, "apis" | "processIds">): Promise<SteadySampler> {
    return new SteadySampler(tidemark, await lookAt(tidemark));
  }

  /** Rates and latencies are of the time since the sample before. */
  async sample(): Promise<Sample> {
    const [look, processes] = await Promise.all([lookAt(this.#tidemark), this.#processes()]);
    const sample = { ...hostFigures(this.#before, look), ...levels(look), ...processes };
    this.#note(look);
    this.#before = look;
    return sample;
  }

  get works(): SteadyWorks {
    const { remote } = this.#before.metrics;
    return {
      sealedBytes: remote.sum("payload_bytes_moved_total", 'why="seal"') ?? 0,
      snapshots: remote.sum("snapshot_synthesis_seconds_count") ?? 0,
      collections: this.#collections,
      freedBytes: remote.sum("collect_freed_bytes_total") ?? 0,
      problemsMax: this.#problemsMax,
    };
  }

  #note({ metrics }: Look): void {
    const at = metrics.remote.sum("collect_last_timestamp_seconds");
    if (at !== undefined && at !== this.#collectedAt) this.#collections++;
    this.#collectedAt = at;
    const problems = roleNames.reduce((sum, role) => sum + (metrics[role].sum("problems") ?? 0), 0);
    this.#problemsMax = Math.max(this.#problemsMax, problems);
  }

  async #processes(): Promise<Sample> {
    const { processIds } = this.#tidemark;
    const ids = new Map<SteadyProcess, number>();
    for (const role of roleNames) ids.set(role, processIds[role] as number);
    for (const id of descendantsOf(await parentIds(), [processIds.remote as number])) {
      const command = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => undefined);
      // Those that keep the store and serve views end when there is nothing to do.
      if (command !== undefined) ids.set(command.includes(noWayGiven) ? "views" : "keeper", id);
    }
    const found = await Promise.all([...ids].map(([name, id]) => processFigures(name, id)));
    return Object.assign({}, ...found);
  }
}

async function processFigures(name: SteadyProcess, id: number): Promise<Sample> {
  try {
    const [usage, descriptors] = await Promise.all([processUsage(id), readdir(`/proc/${id}/fd`)]);
    return {
      [`anonymous.${name}`]: usage.anonymousBytes / MiB,
      [`resident.${name}`]: usage.memoryBytes / MiB,
      [`descriptors.${name}`]: descriptors.length,
    };
  } catch (error) {
    if (name === "keeper" || name === "views") return {};
    throw error;
  }
}

async function lookAt({ apis }: Pick<RunningTidemark, "apis">): Promise<Look> {
  const texts = await Promise.all(roleNames.map((role) => metricsOf(apis[role] as string)));
  const [interceptor, local, remote] = texts as [MetricsText, MetricsText, MetricsText];
  return { atMs: performance.now(), metrics: { interceptor, local, remote } };
}

export async function metricsOf(root: string): Promise<MetricsText> {
  const response = await fetch(`${root}/metrics`, { headers: { connection: "close" } });
  if (!response.ok) throw new Error(`${root}/metrics answers ${response.status}`);
  return new MetricsText(await response.text());
}

function hostFigures(before: Look, after: Look): Sample {
  const seconds = (after.atMs - before.atMs) / 1000;
  const [was, is] = [before.metrics.interceptor, after.metrics.interceptor];
  const rate = (name: string) => ((is.sum(name) ?? Number.NaN) - (was.sum(name) ?? Number.NaN)) / seconds;
  const durations = bucketsBetween(was.buckets("write_duration_seconds"), is.buckets("write_duration_seconds"));
  const milliseconds = (share: number) => {
    const found = percentileSeconds(durations, share);
    return found === undefined ? undefined : found * 1000;
  };
  return {
    writes: rate("writes_total"),
    reads: rate("reads_total"),
    hostMebibytes: (rate("write_bytes_total") + rate("read_bytes_total")) / MiB,
    writeP50: milliseconds(0.5),
    writeP99: milliseconds(0.99),
  };
}

function levels({ metrics: { local, remote } }: Look): Sample {
  const mebibytes = (of: MetricsText, name: string) => {
    const bytes = of.sum(name);
    return bytes === undefined ? undefined : bytes / MiB;
  };
  return {
    lagSeconds: local.sum("lag_seconds"),
    lagMebibytes: mebibytes(local, "lag_bytes"),
    spool: mebibytes(local, "spool_bytes"),
    journals: mebibytes(remote, "journal_bytes"),
    unsealed: mebibytes(remote, "unsealed_bytes"),
    storePhysical: mebibytes(remote, "store_physical_bytes"),
    storeLogical: mebibytes(remote, "store_logical_bytes"),
  };
}
