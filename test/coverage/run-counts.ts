/**
 * How often each character of a file was run, of the reports that Node writes where NODE_V8_COVERAGE says. Types are blanked
 * out when a file is loaded, not cut out, so places in a report are places in the file.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

export interface ScriptReport {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Of one file, in one process: a range within another one says better how often its characters were run. */
export function countsOf({ functions }: Pick<ScriptReport, "functions">, length: number): Float64Array {
  const counts = new Float64Array(length);
  const ranges = functions.flatMap((one) => one.ranges);
  // What holds others comes before them.
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset);
  return counts;
}

/** All processes together, by path. */
export class RunCounts {
  readonly #lengths: ReadonlyMap<string, number>;
  readonly #counts = new Map<string, Float64Array>();

  /** Of these files, of which the length is given. */
  constructor(lengths: ReadonlyMap<string, number>) {
    this.#lengths = lengths;
  }

  addFolder(folder: string): void {
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), "utf8");
      // A process that was ended while it wrote has written what its tests had run before.
      if (!text.endsWith("}")) continue;
      const { result } = JSON.parse(text) as { readonly result: readonly ScriptReport[] };
      for (const script of result) if (script.url.startsWith("file:")) this.add(fileURLToPath(script.url), script);
    }
  }

  add(path: string, report: Pick<ScriptReport, "functions">): void {
    const length = this.#lengths.get(path);
    if (length === undefined) return;
    const counts = countsOf(report, length);
    const sum = this.#counts.get(path);
    if (sum === undefined) this.#counts.set(path, counts);
    else for (let at = 0; at < length; at++) (sum[at] as number) += counts[at] as number;
  }

  /** Nothing but zeros for a file that was never loaded. */
  of(path: string): Float64Array {
    return this.#counts.get(path) ?? new Float64Array(this.#lengths.get(path) ?? 0);
  }
}
