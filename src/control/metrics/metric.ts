/**
 * What a metric is: its definition, which is also its documentation, and how its samples are read from a snapshot. A metric of which
 * nothing is known has no samples.
 */
import type { DurationFigures } from "#src/core/duration-counts.ts";
import type { MetricsSnapshot } from "./metrics-snapshot.ts";

export const metricPrefix = "tidemark_";

/** By the names of labels. */
export type LabelValues = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: LabelValues;
  readonly value: number;
}

export interface DurationSample {
  readonly labels: LabelValues;
  readonly durations: DurationFigures;
}

interface Definition {
  /** Without the prefix; with its unit, and `_total` where it only grows. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface NumberMetric extends Definition {
  /** `counter`: it begins anew with each start of the program, or of the part that counts. */
  readonly kind: "counter" | "gauge";
  readonly read: (snapshot: MetricsSnapshot) => readonly Sample[];
}

export interface DurationMetric extends Definition {
  readonly kind: "histogram";
  readonly read: (snapshot: MetricsSnapshot) => readonly DurationSample[];
}

export type Metric = NumberMetric | DurationMetric;

/** One sample for each of the values that something may have: 1 for the one it has. */
export function oneOf(labels: LabelValues, label: string, values: readonly string[], actual: string): Sample[] {
  return values.map((value) => ({ labels: { ...labels, [label]: value }, value: value === actual ? 1 : 0 }));
}

/** None where the number is not known. */
export function known(labels: LabelValues, value: number | undefined): Sample[] {
  return value === undefined || !Number.isFinite(value) ? [] : [{ labels, value }];
}
