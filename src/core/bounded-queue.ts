/**
 * First in, first out, bounded by count and by bytes. A full queue is an answer, not an error: whoever offers must be
 * able to wait.
 *
 *     slots   [ . . c d e f . . ]      a ring that doubles until it has room for `countMax`
 *                   ^head   ^head + count
 *
 * Invariants: 0 <= count <= countMax; 0 <= bytes <= bytesMax; count = 0 implies bytes = 0.
 */
import { assert } from "./assert.ts";

const slotsAtFirst = 16;

export interface QueueBounds {
  readonly countMax: number;
  readonly bytesMax: number;
}

export class BoundedQueue<Item> {
  readonly countMax: number;
  readonly bytesMax: number;
  #items: (Item | undefined)[];
  #sizesBytes: number[];
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(bounds: QueueBounds) {
    assert(bounds.countMax >= 1 && bounds.bytesMax >= 1, "a queue has room for something");
    this.countMax = bounds.countMax;
    this.bytesMax = bounds.bytesMax;
    this.#items = new Array(slotsAtFirst).fill(undefined);
    this.#sizesBytes = new Array(slotsAtFirst).fill(0);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False: full, nothing was taken. An item that could never fit is the caller's mistake. */
  push(item: Item, itemBytes: number): boolean {
    assert(itemBytes >= 0 && itemBytes <= this.bytesMax, "an item fits into an empty queue");
    if (this.#count === this.countMax || itemBytes > this.bytesMax - this.#bytes) return false;
    if (this.#count === this.#items.length) this.#grow();
    const slot = (this.#head + this.#count) & (this.#items.length - 1);
    this.#items[slot] = item;
    this.#sizesBytes[slot] = itemBytes;
    this.#count++;
    this.#bytes += itemBytes;
    return true;
  }

  /** The item that `shift` would take. */
  peek(): Item | undefined {
    return this.#count === 0 ? undefined : this.#items[this.#head];
  }

  shift(): Item | undefined {
    if (this.#count === 0) return undefined;
    const item = this.#items[this.#head];
    // The ring must not keep alive what has left it.
    this.#items[this.#head] = undefined;
    this.#bytes -= this.#sizesBytes[this.#head] as number;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#count--;
    return item;
  }

  /** The length stays a power of two, so that a mask wraps around. */
  #grow(): void {
    const length = this.#items.length;
    const items: (Item | undefined)[] = new Array(length * 2).fill(undefined);
    const sizesBytes: number[] = new Array(length * 2).fill(0);
    for (let index = 0; index < this.#count; index++) {
      const slot = (this.#head + index) & (length - 1);
      items[index] = this.#items[slot];
      sizesBytes[index] = this.#sizesBytes[slot] as number;
    }
    this.#items = items;
    this.#sizesBytes = sizesBytes;
    this.#head = 0;
  }
}
