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
  /** Writes up to this one were before. */
  readonly #beforeOrdinal: number;
  readonly #seen = new Map<number, TraceEntry>();
  #newestAtMs = 0;

  constructor(before: readonly TraceEntry[], wanted: TraceWanted) {
    this.#wanted = wanted;
    this.#beforeOrdinal = Math.max(0, ...before.map(({ ordinal }) => ordinal));
  }

  take(entries: readonly TraceEntry[], nowMs: number): void {
    for (const entry of entries) {
      const isNew = !this.#seen.has(entry.ordinal);
      if (entry.ordinal <= this.#beforeOrdinal || (isNew && this.#seen.size === this.#wanted.count)) continue;
      if (isNew) this.#newestAtMs = nowMs;
      this.#seen.set(entry.ordinal, entry);
    }
  }

  /** As many as were wanted, or those that came before it went quiet; or the time is up. */
  isOver(nowMs: number): boolean {
    if (nowMs >= this.#wanted.endsAtMs) return true;
    const { count, lastStep } = this.#wanted;
    const isQuiet = this.#seen.size > 0 && nowMs - this.#newestAtMs >= traceQuietMs;
    if (this.#seen.size < count && !isQuiet) return false;
    return this.entries.every(({ steps }) => steps[lastStep] !== undefined);
  }

  get entries(): TraceEntry[] {
    return [...this.#seen.values()].sort((a, b) => a.ordinal - b.ordinal);
  }
}
