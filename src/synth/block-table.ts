/**
 * Numbers by block number, in two flat arrays: what a map of objects would take ten times the memory for. Open addressing with
 * linear probing; what is taken out leaves no trace.
 *
 * Invariant: a key lies between its own place and the next free one.
 */
import { assert } from "#src/core/assert.ts";

const free = -1;
/** Full to three quarters, it doubles. */
const fillMax = 0.75;
const startCount = 16;

export class BlockTable {
  #keys = new Float64Array(startCount).fill(free);
  #values = new Float64Array(startCount);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** -1: it is not there. */
  get(block: number): number {
    const at = this.#find(block);
    return this.#keys[at] === free ? -1 : (this.#values[at] as number);
  }

  /** Answers whether it was not there before. */
  set(block: number, value: number): boolean {
    assert(block >= 0 && value >= 0, "blocks and what is kept of them are not negative");
    let at = this.#find(block);
    const isNew = this.#keys[at] === free;
    if (isNew) {
      if (this.#count + 1 > this.#keys.length * fillMax) {
        this.#grow();
        at = this.#find(block);
      }
      this.#count++;
      this.#keys[at] = block;
    }
    this.#values[at] = value;
    return isNew;
  }

  /** Answers whether it was there. */
  delete(block: number): boolean {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let hole = this.#find(block);
    if (keys[hole] === free) return false;
    this.#count--;
    // Whatever was put further on because of this one moves up.
    for (let at = (hole + 1) & mask; keys[at] !== free; at = (at + 1) & mask) {
      const home = homeOf(keys[at] as number, mask);
      const isReachable = ((at - home) & mask) < ((at - hole) & mask);
      if (isReachable) continue;
      keys[hole] = keys[at] as number;
      this.#values[hole] = this.#values[at] as number;
      hole = at;
    }
    keys[hole] = free;
    return true;
  }

  /** Where it is, or where it would be put. */
  #find(block: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let at = homeOf(block, mask);
    while (keys[at] !== free && keys[at] !== block) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2).fill(free);
    this.#values = new Float64Array(keys.length * 2);
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from] as number;
      if (key === free) continue;
      const at = this.#find(key);
      this.#keys[at] = key;
      this.#values[at] = values[from] as number;
    }
  }
}

function homeOf(block: number, mask: number): number {
  const mixed = Math.imul((block | 0) ^ (Math.floor(block / 2 ** 32) * 0x9e37), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & mask;
}
