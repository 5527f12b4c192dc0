/**
 * Where records lie in the spool, in bounded memory: the newest batches each, older ones at a distance. An entry says
 * that the records after `beforeSeq` begin at `position`, with one of `timeMicros`.
 *
 * Invariants: in each ring positions and seqs grow; the first entry of the sparse ring is not above the oldest record.
 */
import { assert } from "#src/core/assert.ts";
import { divCeil } from "#src/core/byte-range.ts";
import { spoolIndexEntryCountMax, spoolIndexRecentCount, spoolIndexStepBytesMin } from "#src/core/limits.ts";

export interface SpoolIndexEntry {
  readonly position: number;
  readonly timeMicros: number;
  /** Whether the batch there is the one that was asked for, and not only one before it. */
  readonly isExact: boolean;
}

export class SpoolIndex {
  readonly #stepBytes: number;
  readonly #sparse = new EntryRing(64);
  readonly #recent = new EntryRing(64);
  #nextSparsePosition = 0;

  constructor(limitBytes: number) {
    this.#stepBytes = Math.max(spoolIndexStepBytesMin, divCeil(limitBytes, spoolIndexEntryCountMax));
  }

  add(beforeSeq: number, position: number, timeMicros: number): void {
    if (this.#recent.count === spoolIndexRecentCount) this.#recent.dropFirst();
    this.#recent.push(beforeSeq, position, timeMicros);
    if (position < this.#nextSparsePosition) return;
    this.#sparse.push(beforeSeq, position, timeMicros);
    this.#nextSparsePosition = position + this.#stepBytes;
  }

  /** The batch with the first record after `seq`, or one before it. Undefined: nothing that old is known. */
  find(seq: number): SpoolIndexEntry | undefined {
    const recent = this.#recent.lastNotAbove(seq);
    if (recent !== undefined) return this.#recent.entry(recent, true);
    const sparse = this.#sparse.lastNotAbove(seq);
    return sparse === undefined ? undefined : this.#sparse.entry(sparse, false);
  }

  /** What lies before this position is not asked for any more. */
  release(position: number): void {
    while (this.#sparse.count > 1 && this.#sparse.positionAt(1) <= position) this.#sparse.dropFirst();
  }

  get entryCount(): number {
    return this.#sparse.count + this.#recent.count;
  }
}

/** Entries in their order, in memory that grows by doubling. */
class EntryRing {
  #seqs: Float64Array;
  #positions: Float64Array;
  #times: Float64Array;
  #first = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#seqs = new Float64Array(capacity);
    this.#positions = new Float64Array(capacity);
    this.#times = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  push(seq: number, position: number, timeMicros: number): void {
    if (this.#count === this.#seqs.length) this.#grow();
    const at = this.#at(this.#count++);
    this.#seqs[at] = seq;
    this.#positions[at] = position;
    this.#times[at] = timeMicros;
  }

  dropFirst(): void {
    assert(this.#count > 0, "there is a first entry");
    this.#first = this.#at(1);
    this.#count--;
  }

  positionAt(index: number): number {
    return this.#positions[this.#at(index)] as number;
  }

  entry(index: number, isExact: boolean): SpoolIndexEntry {
    const at = this.#at(index);
    return { position: this.#positions[at] as number, timeMicros: this.#times[at] as number, isExact };
  }

  lastNotAbove(seq: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seqs[this.#at(middle)] as number) <= seq) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : low - 1;
  }

  #at(index: number): number {
    return (this.#first + index) % this.#seqs.length;
  }

  #grow(): void {
    this.#seqs = this.#doubled(this.#seqs);
    this.#positions = this.#doubled(this.#positions);
    this.#times = this.#doubled(this.#times);
    this.#first = 0;
  }

  #doubled(old: Float64Array): Float64Array {
    const doubled = new Float64Array(old.length * 2);
    for (let index = 0; index < this.#count; index++)
      doubled[index] = old[(this.#first + index) % old.length] as number;
    return doubled;
  }
}
