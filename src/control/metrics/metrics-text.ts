/**
 * The text that a scrape gets: of a snapshot, together with what a package knows of Node. Of many volumes it is megabytes, which
 * are written in parts, so that others have their turn in between. A snapshot does not change, so the parts are of one moment.
 */
import { collectDefaultMetrics, Registry } from "prom-client";
import type { DurationSample, LabelValues, Metric } from "./metric.ts";
import { metricPrefix } from "./metric.ts";
import type { MetricsSnapshot } from "./metrics-snapshot.ts";

/** How often it is looked how late timers are, in milliseconds: often enough for a tenth of a second, which is what counts. */
const lagLookEveryMs = 50;
/** About a millisecond of work. */
export const charactersPerTurn = 256 * 1024;

export class MetricsText {
  readonly #metrics: readonly Metric[];
  readonly #ofNode = new Registry();
  readonly #soon: (callback: () => void) => void;

  /** `soon`: calls back when others have had their turn. */
  constructor(metrics: readonly Metric[], soon: (callback: () => void) => void) {
    this.#metrics = metrics;
    this.#soon = soon;
    collectDefaultMetrics({ register: this.#ofNode, eventLoopMonitoringPrecision: lagLookEveryMs });
  }

  get contentType(): string {
    return this.#ofNode.contentType;
  }

  async of(snapshot: MetricsSnapshot): Promise<string> {
    // Of the same moment as the snapshot.
    const ofNode = this.#ofNode.metrics();
    const parts: string[] = [];
    let lines: string[] = [];
    let characters = 0;
    for (const metric of this.#metrics) {
      for (const line of linesOf(metric, snapshot)) {
        lines.push(line);
        characters += line.length;
        if (characters < charactersPerTurn) continue;
        // As one text, which is no work for the collector any more.
        parts.push(lines.join(""));
        [lines, characters] = [[], 0];
        await new Promise<void>(this.#soon);
      }
    }
    return [...parts, ...lines, await ofNode].join("");
  }
}

function* linesOf(metric: Metric, snapshot: MetricsSnapshot): Iterable<string> {
  const name = `${metricPrefix}${metric.name}`;
  yield `# HELP ${name} ${metric.help}\n# TYPE ${name} ${metric.kind}\n`;
  if (metric.kind === "histogram") {
    for (const sample of metric.read(snapshot)) yield bucketLines(name, sample);
  } else {
    for (const { labels, value } of metric.read(snapshot)) yield `${name}${inBraces(labelText(labels))} ${value}\n`;
  }
  yield "\n";
}

/** Each bucket counts all that took no longer, and the last one all. */
function bucketLines(name: string, { labels, durations }: DurationSample): string {
  const { boundsSeconds, counts, seconds } = durations;
  const shared = labelText(labels);
  const more = shared === "" ? "" : `,${shared}`;
  let sum = 0;
  let text = "";
  for (const [index, count] of counts.entries()) {
    sum += count;
    text += `${name}_bucket{le="${boundsSeconds[index] ?? "+Inf"}"${more}} ${sum}\n`;
  }
  return `${text}${name}_sum${inBraces(shared)} ${seconds}\n${name}_count${inBraces(shared)} ${sum}\n`;
}

function inBraces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function labelText(labels: LabelValues): string {
  let text = "";
  for (const name in labels) text += `${text === "" ? "" : ","}${name}="${escaped(labels[name] as string)}"`;
  return text;
}

function escaped(value: string): string {
  if (!/["\\\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
