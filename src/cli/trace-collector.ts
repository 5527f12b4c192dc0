/** Takes what is seen of writes, look by look, until those that were waited for have come to their end. */

import type { TraceEntry, TraceStep } from "#src/control/role.ts";
import { traceQuietMs } from "#src/core/limits.ts";

export interface TraceWanted {
  readonly count: number;
  /** No further step of a write is seen. */
  readonly lastStep: TraceStep;
  readonly endsAtMs: number;
}

export class TraceCollector {
  readonly #wanted: TraceWanted;
  /** The newest that was there before, and then the newest at all. */
  #newestOrdinal: number;
  readonly #beforeOrdinal: number;
  #newestAtMs = 0;
  /** The first that came, and the first that were seen to their end: with many writes at a time others than those. */
  readonly #first = new Map<number, TraceEntry>();
  readonly #complete = new Map<number, TraceEntry>();

  constructor(before: readonly TraceEntry[], wanted: TraceWanted) {
    this.#wanted = wanted;
    this.#beforeOrdinal = Math.max(0, ...before.map(({ ordinal }) => ordinal));
    this.#newestOrdinal = this.#beforeOrdinal;
  }

  take(entries: readonly TraceEntry[], nowMs: number): void {
    for (const entry of entries) {
      if (entry.ordinal <= this.#beforeOrdinal) continue;
      this.#keep(this.#first, entry);
      if (this.#isComplete(entry)) this.#keep(this.#complete, entry);
      if (entry.ordinal <= this.#newestOrdinal) continue;
      this.#newestOrdinal = entry.ordinal;
      this.#newestAtMs = nowMs;
    }
  }

  #keep(seen: Map<number, TraceEntry>, entry: TraceEntry): void {
    if (seen.size < this.#wanted.count || seen.has(entry.ordinal)) seen.set(entry.ordinal, entry);
  }

  #isComplete({ steps }: TraceEntry): boolean {
    return steps[this.#wanted.lastStep] !== undefined;
  }

  /** As many as were wanted have come to their end, or all that came before it went quiet; or the time is up. */
  isOver(nowMs: number): boolean {
    if (nowMs >= this.#wanted.endsAtMs || this.#complete.size === this.#wanted.count) return true;
    const isQuiet = this.#first.size > 0 && nowMs - this.#newestAtMs >= traceQuietMs;
    return isQuiet && [...this.#first.values()].every((entry) => this.#isComplete(entry));
  }

  /** Oldest first; those whose end was seen rather than others. */
  get entries(): TraceEntry[] {
    const others = [...this.#first.values()].filter(({ ordinal }) => !this.#complete.has(ordinal));
    const chosen = [...this.#complete.values(), ...others].slice(0, this.#wanted.count);
    return chosen.sort((a, b) => a.ordinal - b.ordinal);
  }
}
