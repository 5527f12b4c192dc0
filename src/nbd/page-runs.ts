/**
 * Which runs of pages of an arena are free: first fit, neighbours joined. Pure arithmetic over page numbers. Low pages
 * are preferred, so that the same memory is used again and an arena that was never full was never wholly touched.
 *
 * Invariants: free runs are sorted, not empty, and never touch each other.
 */
import { assert } from "#src/core/assert.ts";

export class PageRuns {
  readonly #pageCount: number;
  readonly #starts: number[];
  readonly #counts: number[];

  constructor(pageCount: number) {
    this.#pageCount = pageCount;
    this.#starts = [0];
    this.#counts = [pageCount];
  }

  /** The first page of a run that is now taken, or -1. */
  take(count: number): number {
    const index = this.#find(count);
    if (index < 0) return -1;
    const start = this.#starts[index] as number;
    const rest = (this.#counts[index] as number) - count;
    if (rest === 0) {
      this.#starts.splice(index, 1);
      this.#counts.splice(index, 1);
    } else {
      this.#starts[index] = start + count;
      this.#counts[index] = rest;
    }
    return start;
  }

  has(count: number): boolean {
    return this.#find(count) >= 0;
  }

  #find(count: number): number {
    assert(count > 0, "a run has pages");
    return this.#counts.findIndex((one) => one >= count);
  }

  give(start: number, count: number): void {
    assert(start >= 0 && count > 0 && start + count <= this.#pageCount, "the run is one of this arena");
    const index = this.#firstAfter(start);
    const end = start + count;
    const endBefore = index === 0 ? -1 : (this.#starts[index - 1] as number) + (this.#counts[index - 1] as number);
    const startAfter = this.#starts[index] ?? this.#pageCount + 1;
    assert(endBefore <= start && end <= startAfter, "what comes back was taken");
    const joinsBefore = endBefore === start;
    const joinsAfter = startAfter === end;
    if (joinsBefore && joinsAfter) {
      (this.#counts[index - 1] as number) += count + (this.#counts[index] as number);
      this.#starts.splice(index, 1);
      this.#counts.splice(index, 1);
    } else if (joinsBefore) {
      (this.#counts[index - 1] as number) += count;
    } else if (joinsAfter) {
      this.#starts[index] = start;
      (this.#counts[index] as number) += count;
    } else {
      this.#starts.splice(index, 0, start);
      this.#counts.splice(index, 0, count);
    }
  }

  /** The index of the first free run that begins after `start`. */
  #firstAfter(start: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] as number) <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
