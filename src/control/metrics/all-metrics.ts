/** Every metric of Tidemark's own, in the order in which they are published. */
import { groupMetrics } from "./group-metrics.ts";
import type { Metric } from "./metric.ts";
import { programMetrics } from "./program-metrics.ts";
import { remoteGroupMetrics } from "./remote-group-metrics.ts";
import { storeMetrics } from "./store-metrics.ts";
import { volumeMetrics } from "./volume-metrics.ts";

export const allMetrics: readonly Metric[] = [
  ...programMetrics,
  ...volumeMetrics,
  ...groupMetrics,
  ...remoteGroupMetrics,
  ...storeMetrics,
];
