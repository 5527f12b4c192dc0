/** What fio reports as JSON, as far as it is looked at, and the latencies that it is asked for. */

export interface FioDirection {
  readonly iops: number;
  readonly total_ios: number;
  readonly lat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

export interface FioReport {
  readonly jobs: readonly {
    readonly jobname: string;
    readonly error: number;
    readonly read: FioDirection;
    readonly write: FioDirection;
    readonly trim: FioDirection;
  }[];
}

export interface FioLatencies {
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly latencyP999Us: number;
}

/** From when fio begins to hand over the request: a server may have replied before it has ended. */
export const latencyOptions = ["--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:99:99.9"] as const;

export function latenciesOf(direction: FioDirection): FioLatencies {
  return {
    latencyP50Us: percentileUs(direction, "50.000000"),
    latencyP99Us: percentileUs(direction, "99.000000"),
    latencyP999Us: percentileUs(direction, "99.900000"),
  };
}

function percentileUs(direction: FioDirection, name: string): number {
  const nanoseconds = direction.lat_ns.percentile?.[name];
  if (nanoseconds === undefined) throw new Error(`fio reports no latency at ${name} %`);
  return nanoseconds / 1000;
}
