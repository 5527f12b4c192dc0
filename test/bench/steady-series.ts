/** What is looked at again and again while the steady load goes on, what must stay as it is, and whether it did. */
import { round } from "./rounding.ts";
import { median } from "./rounds.ts";

export const processNames = ["interceptor", "local", "remote", "keeper", "views"] as const;
export type SteadyProcess = (typeof processNames)[number];

/** How the median of the last quarter may differ from that of the second: by so much of it, and so much. */
export interface FlatBound {
  readonly direction: "at most" | "at least";
  readonly factor: number;
  readonly slack: number;
}

export interface SeriesDefinition {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Absent: it is told, and nothing is asked of it. */
  readonly bound?: FlatBound;
}

const atLeast = (factor: number): FlatBound => ({ direction: "at least", factor, slack: 0 });
const atMost = (factor: number, slack: number): FlatBound => ({ direction: "at most", factor, slack });

/** A file of the spool, and a data segment: what comes and goes at once. */
const spoolFileMebibytes = 64;
const segmentMebibytes = 256;

/** The bounds were set before anything was measured. */
export const seriesDefinitions: readonly SeriesDefinition[] = [
  { name: "writes", title: "writes of the host", unit: "/s", bound: atLeast(0.98) },
  { name: "reads", title: "reads of the host", unit: "/s", bound: atLeast(0.98) },
  { name: "hostMebibytes", title: "read and written by the host", unit: "MiB/s", bound: atLeast(0.98) },
  { name: "writeP50", title: "a write, p50", unit: "ms", bound: atMost(1.25, 0.05) },
  { name: "writeP99", title: "a write, p99", unit: "ms", bound: atMost(1.5, 1) },
  { name: "lagSeconds", title: "lag", unit: "s", bound: atMost(1.5, 0.25) },
  { name: "lagMebibytes", title: "lag, bytes", unit: "MiB", bound: atMost(1.5, 4) },
  ...processNames.flatMap((name): SeriesDefinition[] => [
    { name: `anonymous.${name}`, title: `anonymous memory, ${name}`, unit: "MiB", bound: atMost(1.1, 8) },
    { name: `resident.${name}`, title: `resident memory, ${name}`, unit: "MiB", bound: atMost(1.25, 32) },
    { name: `descriptors.${name}`, title: `descriptors, ${name}`, unit: "", bound: atMost(1.1, 8) },
  ]),
  { name: "spool", title: "spool", unit: "MiB", bound: atMost(1.25, spoolFileMebibytes) },
  { name: "journals", title: "journals", unit: "MiB", bound: atMost(1.25, segmentMebibytes) },
  { name: "unsealed", title: "waits to be sealed", unit: "MiB", bound: atMost(1.25, segmentMebibytes) },
  { name: "storePhysical", title: "store, physical", unit: "MiB", bound: atMost(1.15, 64) },
  { name: "storeLogical", title: "store, logical", unit: "MiB", bound: atMost(1.15, 64) },
];

export type Sample = Readonly<Record<string, number | undefined>>;
/** By their names; null: it was not known then. */
export type Columns = Readonly<Record<string, readonly (number | null)[]>>;

const significantDigits = 5;

export function columnsOf(samples: readonly Sample[]): Columns {
  const column = (name: string) =>
    samples.map((sample) => {
      const value = sample[name];
      return value === undefined ? null : Number(value.toPrecision(significantDigits));
    });
  return Object.fromEntries(seriesDefinitions.map(({ name }) => [name, column(name)]));
}

export interface Verdict {
  readonly definition: SeriesDefinition;
  /** Medians. */
  readonly second: number;
  readonly last: number;
  /** Of all samples. */
  readonly lowest: number;
  readonly highest: number;
  /** Undefined: nothing is asked. */
  readonly met: boolean | undefined;
}

/** Of every series that was there in the second and in the last quarter. */
export function verdictsOn(columns: Columns): Verdict[] {
  return seriesDefinitions.flatMap((definition) => {
    const values = columns[definition.name] ?? [];
    const quarter = Math.floor(values.length / 4);
    const second = known(values.slice(quarter, 2 * quarter));
    const last = known(values.slice(values.length - quarter));
    if (second.length === 0 || last.length === 0) return [];
    const all = known(values);
    const medians = { second: median(second), last: median(last) };
    const extremes = { lowest: Math.min(...all), highest: Math.max(...all) };
    return [{ definition, ...medians, ...extremes, met: isMet(medians, definition.bound) }];
  });
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

function isMet({ second, last }: Pick<Verdict, "second" | "last">, bound: FlatBound | undefined): boolean | undefined {
  if (bound === undefined) return undefined;
  const { direction, factor, slack } = bound;
  return direction === "at most" ? last <= second * factor + slack : last >= second * factor - slack;
}

export function boundWords({ direction, factor, slack }: FlatBound, unit: string): string {
  const sign = direction === "at most" ? "≤" : "≥";
  if (slack === 0) return `${sign} ${factor}×`;
  return `${sign} ${factor}× + ${slack}${unit === "" ? "" : ` ${unit}`}`;
}

/** Three digits, of large numbers all. */
export function shown(value: number): string {
  return String(round(value, value >= 100 ? 0 : value >= 10 ? 1 : 2));
}
