/**
 * The text that a scrape gets: of a snapshot, together with what the registry's own package knows of Node. The registry has one entry
 * for each metric, which holds nothing itself: it is asked for values once per scrape, and reads them from the snapshot.
 */
import { collectDefaultMetrics, type Metric as RegisteredMetric, Registry } from "prom-client";
import type { DurationSample, LabelValues, Metric } from "./metric.ts";
import { metricPrefix } from "./metric.ts";
import type { MetricsSnapshot } from "./metrics-snapshot.ts";

interface TextValue {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Written once for all values that have the same ones. */
  readonly sharedLabels?: LabelValues;
  readonly value: number;
}

/** How often it is looked how late timers are, in milliseconds: often enough for a tenth of a second, which is what counts. */
const lagLookEveryMs = 50;

export class MetricsText {
  readonly #registry = new Registry();
  #snapshot: MetricsSnapshot | undefined;

  constructor(metrics: readonly Metric[]) {
    for (const metric of metrics) this.#register(metric);
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagLookEveryMs });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #register(metric: Metric): void {
    const name = `${metricPrefix}${metric.name}`;
    const definition = { name, help: metric.help, type: metric.kind };
    const entry = {
      ...definition,
      get: async () => ({ ...definition, aggregator: "omit", values: this.#valuesOf(metric, name) }),
      reset: () => {},
    };
    // No more than this is asked of what the package makes itself.
    this.#registry.registerMetric(entry as unknown as RegisteredMetric);
  }

  #valuesOf(metric: Metric, name: string): readonly TextValue[] {
    if (this.#snapshot === undefined) return [];
    if (metric.kind !== "histogram") return metric.read(this.#snapshot);
    return metric.read(this.#snapshot).flatMap((sample) => bucketsOf(name, sample));
  }

  /** Everything reads before anything waits, so that each of two scrapes gets its own snapshot. */
  of(snapshot: MetricsSnapshot): Promise<string> {
    this.#snapshot = snapshot;
    const text = this.#registry.metrics();
    this.#snapshot = undefined;
    return text;
  }
}

/** Each bucket counts all that took no longer, and the last one all. */
function bucketsOf(name: string, { labels: sharedLabels, durations }: DurationSample): TextValue[] {
  const { boundsSeconds, counts, seconds } = durations;
  let sum = 0;
  const buckets = counts.map((count, index): TextValue => {
    sum += count;
    return { metricName: `${name}_bucket`, labels: { le: boundsSeconds[index] ?? "+Inf" }, sharedLabels, value: sum };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: seconds },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: sum },
  ];
}
