/**
 * Memory for batches, used again and again: slabs in which batches lie behind each other. A slab is free when nobody
 * holds it, and the one that became free last is used first, since its memory is warm.
 *
 * Invariants: slabs <= slabCountMax; the current slab has room for a largest batch behind `used`.
 */
import { assert } from "#src/core/assert.ts";
import { batchBytesMax } from "#src/core/limits.ts";

export class BatchSlab {
  readonly buffer: Buffer;
  readonly #idle: (slab: BatchSlab) => void;
  #holds = 0;
  /** Where the next batch begins. */
  usedBytes = 0;

  constructor(byteLength: number, idle: (slab: BatchSlab) => void) {
    this.buffer = Buffer.allocUnsafeSlow(byteLength);
    this.#idle = idle;
  }

  hold(): void {
    this.#holds++;
  }

  release(): void {
    assert(this.#holds > 0, "memory is given back once by each who held it");
    this.#holds--;
    if (this.#holds === 0) this.#idle(this);
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }
}

export interface BatchPoolOptions {
  readonly slabBytes: number;
  readonly slabCountMax: number;
  /** `current` was undefined, and is not any more. */
  readonly freed: () => void;
}

export class BatchPool {
  readonly #options: BatchPoolOptions;
  readonly #free: BatchSlab[] = [];
  #current: BatchSlab | undefined;
  #slabCount = 0;
  #wanted = false;

  constructor(options: BatchPoolOptions) {
    assert(options.slabBytes >= batchBytesMax, "a slab takes a largest batch");
    this.#options = options;
  }

  /** The slab in which a largest batch has room, from `usedBytes` on. Undefined: none is free; `freed` will be called. */
  get current(): BatchSlab | undefined {
    const current = this.#current;
    if (current !== undefined && current.usedBytes + batchBytesMax <= this.#options.slabBytes) return current;
    this.#current = this.#free.pop() ?? this.#grow();
    this.#wanted = this.#current === undefined;
    return this.#current;
  }

  /** Whether memory may be kept longer than anyone waits for it: a third of it is free in any case. */
  get isAmple(): boolean {
    const { slabCountMax } = this.#options;
    return (slabCountMax - this.#slabCount + this.#free.length) * 3 >= slabCountMax;
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
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#options.freed();
  }
}
