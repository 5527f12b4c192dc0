/**
 * What one group may use of the memory for batches that all groups of a thread share. Their batches lie in the same
 * slabs, and a slab is free only when nobody holds it any more. So whoever has to hold on to his, such as a group in sync
 * whose remote stands still, may have a part in half of the slabs that the others have left him, and no more. Whoever has
 * none gets a little of his own where all are taken: nobody waits for ever for somebody else.
 *
 * Invariant: `heldCount` is the number of slabs that this share holds, its own included.
 */
import { assert } from "#src/core/assert.ts";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchSlab } from "./batch-slab.ts";

/** Where batches are made. */
export interface BatchSpace {
  readonly buffer: Buffer;
  /** Where the next batch begins. */
  usedBytes: number;
  hold(): void;
  release(): void;
}

/** What a share sees of the pool. */
export interface SharedSlabs {
  /** In which a largest batch has room. */
  readonly current: BatchSlab | undefined;
  /** Slabs that nobody holds. */
  readonly freeCount: number;
  /** There is nobody else. */
  readonly hasOneShare: boolean;
  readonly isAmple: boolean;
  /** Somebody was refused. */
  want(): void;
  /** Somebody holds less than before. */
  eased(): void;
  leave(share: BatchShare): void;
}

export class BatchShare {
  readonly #slabs: SharedSlabs;
  readonly #leases = new Map<BatchSlab, Lease>();
  #own: BatchSlab | undefined;
  #heldCount = 0;

  constructor(slabs: SharedSlabs) {
    this.#slabs = slabs;
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  /** Has room for a largest batch, from `usedBytes` on. Undefined: there is none for now; it will be told. */
  get current(): BatchSpace | undefined {
    const slab = this.#slabs.current;
    if (slab !== undefined && this.#mayUse(slab)) return this.#leaseOf(slab);
    if (this.#heldCount === 0) {
      this.#own ??= new BatchSlab(batchBytesMax, (own) => {
        own.usedBytes = 0;
      });
      return this.#leaseOf(this.#own);
    }
    this.#slabs.want();
    return undefined;
  }

  #mayUse(slab: BatchSlab): boolean {
    return this.#heldCount < this.#countMax || this.#leases.get(slab)?.isHeld === true;
  }

  get #countMax(): number {
    if (this.#slabs.hasOneShare) return Number.POSITIVE_INFINITY;
    return Math.max(1, Math.floor((this.#slabs.freeCount + this.#heldCount) / 2));
  }

  /** Whether memory may be kept for longer than it must: neither this group nor another is about to be refused. */
  get isAmple(): boolean {
    return this.#slabs.isAmple && this.#heldCount + 1 < this.#countMax;
  }

  /** The same for the same slab, so that neighbours in memory are known as such. */
  #leaseOf(slab: BatchSlab): Lease {
    let lease = this.#leases.get(slab);
    if (lease === undefined) {
      lease = new Lease(slab, (change) => {
        this.#heldCount += change;
        if (change < 0) this.#slabs.eased();
      });
      this.#leases.set(slab, lease);
    }
    return lease;
  }

  /** Nothing is asked for any more. */
  leave(): void {
    this.#slabs.leave(this);
  }
}

class Lease implements BatchSpace {
  readonly #slab: BatchSlab;
  readonly #changed: (change: 1 | -1) => void;
  #holds = 0;

  constructor(slab: BatchSlab, changed: (change: 1 | -1) => void) {
    this.#slab = slab;
    this.#changed = changed;
  }

  get buffer(): Buffer {
    return this.#slab.buffer;
  }

  get usedBytes(): number {
    return this.#slab.usedBytes;
  }

  set usedBytes(usedBytes: number) {
    this.#slab.usedBytes = usedBytes;
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  hold(): void {
    this.#holds++;
    this.#slab.hold();
    if (this.#holds === 1) this.#changed(1);
  }

  release(): void {
    assert(this.#holds > 0, "memory is given back once by each who held it");
    this.#holds--;
    this.#slab.release();
    if (this.#holds === 0) this.#changed(-1);
  }
}
