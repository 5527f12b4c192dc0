/** A piece of memory in which batches lie behind each other. It is free when nobody holds it. */
import { assert } from "#src/core/assert.ts";

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
