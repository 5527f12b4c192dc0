/**
 * Memory for batches, used again and again: slabs in which batches lie behind each other. A slab is free when nobody
 * holds it, and the one that became free last is used first, since its memory is warm.
 *
 * Invariants: slabs <= slabCountMax; the current slab has room for a largest batch behind `used`.
 */
import { assert } from "#src/core/assert.ts";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchShare, type SharedSlabs } from "./batch-share.ts";
import { BatchSlab } from "./batch-slab.ts";

export interface BatchPoolOptions {
  readonly slabBytes: number;
  readonly slabCountMax: number;
  /** Somebody was refused, and may ask again. */
  readonly freed: () => void;
}

export class BatchPool implements SharedSlabs {
  readonly #options: BatchPoolOptions;
  readonly #free: BatchSlab[] = [];
  #current: BatchSlab | undefined;
  #slabCount = 0;
  #wanted = false;
  readonly #shares = new Set<BatchShare>();

  constructor(options: BatchPoolOptions) {
    assert(options.slabBytes >= batchBytesMax, "a slab takes a largest batch");
    this.#options = options;
  }

  /** For one more who makes batches. */
  share(): BatchShare {
    const share = new BatchShare(this);
    this.#shares.add(share);
    return share;
  }

  leave(share: BatchShare): void {
    this.#shares.delete(share);
    this.eased();
  }

  get hasOneShare(): boolean {
    return this.#shares.size <= 1;
  }

  /** The slab in which a largest batch has room, from `usedBytes` on. Undefined: none is free; `freed` will be called. */
  get current(): BatchSlab | undefined {
    const current = this.#current;
    if (current !== undefined && current.usedBytes + batchBytesMax <= this.#options.slabBytes) return current;
    this.#current = this.#free.pop() ?? this.#grow();
    this.#wanted ||= this.#current === undefined;
    return this.#current;
  }

  get freeCount(): number {
    const isCurrentFree = this.#current !== undefined && !this.#current.isHeld;
    return this.#options.slabCountMax - this.#slabCount + this.#free.length + (isCurrentFree ? 1 : 0);
  }

  want(): void {
    this.#wanted = true;
  }

  eased(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#options.freed();
  }

  /** Whether memory may be kept longer than anyone waits for it: a third of it is free in any case. */
  get isAmple(): boolean {
    const { slabCountMax } = this.#options;
    return this.freeCount * 3 >= slabCountMax;
  }

  get slabCount(): number {
    return this.#slabCount;
  }

  #grow(): BatchSlab | undefined {
    if (this.#slabCount === this.#options.slabCountMax) return undefined;
    this.#slabCount++;
    return new BatchSlab(this.#options.slabBytes, (slab) => this.#becameFree(slab));
  }

  #becameFree(slab: BatchSlab): void {
    slab.usedBytes = 0;
    if (slab !== this.#current) this.#free.push(slab);
    this.eased();
  }
}
