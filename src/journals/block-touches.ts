/**
 * Which record was the last to decide on each block, of all that were added: gathered first, and then told in the order of
 * the blocks. At most 88 bytes of memory for each record that touches blocks: 40, twice where the arrays have just grown, and 8
 * while they are told.
 *
 * How: from the first block to the last, a heap holds the touches that cover where we are, the latest on top; those that
 * have ended are dropped when they come to the top.
 */
import { assert } from "#src/core/assert.ts";
import { type BlockExtent, extentPart } from "./block-extent.ts";
import { orderByTwo } from "./block-order.ts";

const grownCountMin = 1024;

export class BlockTouches {
  #volumes = new Uint32Array(grownCountMin);
  #startBlocks = new Float64Array(grownCountMin);
  #blockCounts = new Float64Array(grownCountMin);
  #addresses = new Float64Array(grownCountMin);
  #levels = new Uint32Array(grownCountMin);
  #seqs = new Float64Array(grownCountMin);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** In the order of the records. */
  add(extent: BlockExtent): void {
    assert(extent.blockCount > 0, "a touch is of blocks");
    if (this.#count === this.#volumes.length) this.#grow();
    const place = this.#count++;
    this.#volumes[place] = extent.volume;
    this.#startBlocks[place] = extent.startBlock;
    this.#blockCounts[place] = extent.blockCount;
    this.#addresses[place] = extent.address;
    this.#levels[place] = extent.level;
    this.#seqs[place] = extent.seq;
  }

  #grow(): void {
    const countMax = 2 * this.#count;
    const grown = (numbers: Float64Array): Float64Array<ArrayBuffer> => {
      const more = new Float64Array(countMax);
      more.set(numbers);
      return more;
    };
    this.#startBlocks = grown(this.#startBlocks);
    this.#blockCounts = grown(this.#blockCounts);
    this.#addresses = grown(this.#addresses);
    this.#seqs = grown(this.#seqs);
    this.#volumes = grownSmall(this.#volumes, countMax);
    this.#levels = grownSmall(this.#levels, countMax);
  }

  #extentAt(place: number): BlockExtent {
    return {
      volume: this.#volumes[place] as number,
      startBlock: this.#startBlocks[place] as number,
      blockCount: this.#blockCounts[place] as number,
      address: this.#addresses[place] as number,
      level: this.#levels[place] as number,
      seq: this.#seqs[place] as number,
    };
  }

  #endOf(place: number): number {
    return (this.#startBlocks[place] as number) + (this.#blockCounts[place] as number);
  }

  /** Sorted by volume and block; none over another, and none that could be part of the one before. */
  *extents(): Generator<BlockExtent> {
    let [from, place, end] = [0, -1, -1];
    for (const part of this.#parts()) {
      if (part.place === place) {
        end = part.end;
        continue;
      }
      if (place >= 0) yield extentPart(this.#extentAt(place), from, end - from);
      ({ from, place, end } = part);
    }
    if (place >= 0) yield extentPart(this.#extentAt(place), from, end - from);
  }

  /** One touch may come in several parts behind each other. */
  *#parts(): Generator<{ readonly place: number; readonly from: number; readonly end: number }> {
    const order = orderByTwo(this.#count, this.#volumes, this.#startBlocks);
    const heap = new PlaceHeap();
    let next = 0;
    let [volume, from] = [0, 0];
    while (next < order.length || heap.count > 0) {
      const nextPlace = order[next];
      if (heap.count === 0 && nextPlace !== undefined) {
        volume = this.#volumes[nextPlace] as number;
        from = this.#startBlocks[nextPlace] as number;
      }
      const isOfVolume = nextPlace !== undefined && this.#volumes[nextPlace] === volume;
      const nextStart = isOfVolume ? (this.#startBlocks[nextPlace] as number) : Number.POSITIVE_INFINITY;
      if (isOfVolume && nextStart === from) {
        heap.push(nextPlace);
        next++;
        continue;
      }
      const top = heap.top;
      if (this.#endOf(top) <= from) {
        heap.pop();
        continue;
      }
      const end = Math.min(this.#endOf(top), nextStart);
      yield { place: top, from, end };
      from = end;
    }
  }
}

function grownSmall(numbers: Uint32Array, countMax: number): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(countMax);
  more.set(numbers);
  return more;
}

/** The highest on top. */
class PlaceHeap {
  readonly #places: number[] = [];

  get count(): number {
    return this.#places.length;
  }

  get top(): number {
    return this.#places[0] as number;
  }

  push(place: number): void {
    const places = this.#places;
    let at = places.length;
    places.push(place);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((places[above] as number) >= place) break;
      places[at] = places[above] as number;
      at = above;
    }
    places[at] = place;
  }

  pop(): void {
    const places = this.#places;
    const place = places.pop() as number;
    if (places.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= places.length) break;
      if (below + 1 < places.length && (places[below + 1] as number) > (places[below] as number)) below++;
      if ((places[below] as number) <= place) break;
      places[at] = places[below] as number;
      at = below;
    }
    places[at] = place;
  }
}
