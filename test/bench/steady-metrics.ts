/** What a program tells of itself in the text format of Prometheus, as far as it is looked at here. */

const linePattern = /^tidemark_([a-z_]+)(?:\{(.*)\})? (\S+)$/;

interface Line {
  readonly labels: string;
  readonly value: number;
}

/** Those that took no longer than each bound, and longer than the bound before; last those beyond all. */
export interface DurationBuckets {
  readonly boundsSeconds: readonly number[];
  readonly counts: readonly number[];
}

export class MetricsText {
  readonly #lines = new Map<string, Line[]>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const [, name, labels = "", value] = linePattern.exec(line) ?? [];
      if (name === undefined) continue;
      const lines = this.#lines.get(name) ?? [];
      this.#lines.set(name, lines);
      lines.push({ labels, value: Number(value) });
    }
  }

  /** Of all labels, or those with `label`, together. Undefined: it is not told. */
  sum(name: string, label = ""): number | undefined {
    const lines = (this.#lines.get(name) ?? []).filter(({ labels }) => labels.includes(label));
    return lines.length === 0 ? undefined : lines.reduce((total, { value }) => total + value, 0);
  }

  /** Of a histogram that has one set of labels. */
  buckets(name: string): DurationBuckets {
    const cumulative = (this.#lines.get(`${name}_bucket`) ?? []).map(({ labels, value }) => {
      const bound = /le="([^"]+)"/.exec(labels)?.[1];
      return { bound: bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), value };
    });
    return {
      boundsSeconds: cumulative.map(({ bound }) => bound).filter(Number.isFinite),
      counts: cumulative.map(({ value }, index) => value - (cumulative[index - 1]?.value ?? 0)),
    };
  }
}

export function bucketsBetween(before: DurationBuckets, after: DurationBuckets): DurationBuckets {
  return { ...after, counts: after.counts.map((count, index) => count - (before.counts[index] ?? 0)) };
}

/** As if what is in a bucket lay evenly in it. Undefined: there is nothing. */
export function percentileSeconds({ boundsSeconds, counts }: DurationBuckets, share: number): number | undefined {
  const total = counts.reduce((sum, one) => sum + one, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [index, count] of counts.entries()) {
    const from = boundsSeconds[index - 1] ?? 0;
    const to = boundsSeconds[index] ?? from;
    if (count > 0 && left <= count) return from + (to - from) * (left / count);
    left -= count;
  }
  return boundsSeconds.at(-1);
}
