/**
 * Which bytes of a read have been accounted for. Chunks may come in any order, so a sum would not do: an overlap could
 * hide a gap.
 *
 *     runs   [ start0, end0, start1, end1, … ]     sorted, disjoint, never touching
 *
 * A server that answers in order, as they all do, never leaves more than one run.
 */
import { nbdClientFragmentCountMax } from "#src/core/nbd-limits.ts";

export type CoverageResult = "added" | "overlap" | "scattered";

export class Coverage {
  readonly #runs: number[] = [];
  #start = 0;
  #end = 0;

  reset(start: number, lengthBytes: number): void {
    this.#runs.length = 0;
    this.#start = start;
    this.#end = start + lengthBytes;
  }

  /** The range lies within the one given to `reset`; the caller has checked it. */
  add(start: number, lengthBytes: number): CoverageResult {
    const runs = this.#runs;
    const end = start + lengthBytes;
    const last = runs.length - 1;
    if (last < 0) {
      runs.push(start, end);
      return "added";
    }
    if (start === runs[last]) {
      runs[last] = end;
      return "added";
    }
    return this.#insert(start, end);
  }

  get complete(): boolean {
    return this.#runs.length === 2 && this.#runs[0] === this.#start && this.#runs[1] === this.#end;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  #insert(start: number, end: number): CoverageResult {
    const runs = this.#runs;
    const at = this.#firstRunAfter(start);
    if (at > 0 && (runs[at - 1] as number) > start) return "overlap";
    if (at < runs.length && (runs[at] as number) < end) return "overlap";
    const touchesBefore = at > 0 && runs[at - 1] === start;
    const touchesAfter = at < runs.length && runs[at] === end;
    if (touchesBefore && touchesAfter) runs.splice(at - 1, 2);
    else if (touchesBefore) runs[at - 1] = end;
    else if (touchesAfter) runs[at] = start;
    else if (runs.length >= 2 * nbdClientFragmentCountMax) return "scattered";
    else runs.splice(at, 0, start, end);
    return "added";
  }

  /** The index of the first run that begins at or after `start`. */
  #firstRunAfter(start: number): number {
    let low = 0;
    let high = this.#runs.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[2 * middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }
}
