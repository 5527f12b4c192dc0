/**
 * Extents of one volume in the order of their blocks, none over another, in flat memory: 32 bytes each, and to look for a block
 * makes nothing.
 */
import { assert } from "#src/core/assert.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { holeAddress } from "#src/records/address.ts";
import { type LayerAnswer, says } from "./image-layer.ts";

const grownCountMin = 64;
const rowBytes = 32;

export class ExtentRows {
  #starts: Float64Array<ArrayBuffer>;
  #ends: Float64Array<ArrayBuffer>;
  #addresses: Float64Array<ArrayBuffer>;
  #seqs: Float64Array<ArrayBuffer>;
  #count = 0;

  /** With room for so many, to be added. */
  constructor(countMax: number) {
    this.#starts = new Float64Array(countMax);
    this.#ends = new Float64Array(countMax);
    this.#addresses = new Float64Array(countMax);
    this.#seqs = new Float64Array(countMax);
  }

  /** Those of this volume. */
  static of(extents: Iterable<BlockExtent>, volume: number): ExtentRows {
    const rows = new ExtentRows(grownCountMin);
    for (const extent of extents) {
      if (extent.volume !== volume) continue;
      const { startBlock, blockCount, address, seq } = extent;
      rows.add(startBlock, startBlock + blockCount, address, seq);
    }
    rows.trim();
    return rows;
  }

  /** Of the records at these places of columns, none over another. Column by column, since their places are all over these. */
  static gathered(
    { starts, places, count }: { readonly starts: Uint32Array; readonly places: Uint32Array; readonly count: number },
    { blockCounts, addresses, seqs }: Readonly<Record<"blockCounts" | "addresses" | "seqs", Float64Array>>,
  ): ExtentRows {
    const rows = new ExtentRows(count);
    let [end, areInOrder] = [0, true];
    for (let row = 0; row < count; row++) {
      const start = starts[row] as number;
      if (start < end) areInOrder = false;
      end = start + (blockCounts[places[row] as number] as number);
      rows.#starts[row] = start;
      rows.#ends[row] = end;
    }
    assert(areInOrder, "extents come in the order of their blocks");
    for (let row = 0; row < count; row++) rows.#addresses[row] = addresses[places[row] as number] as number;
    for (let row = 0; row < count; row++) rows.#seqs[row] = seqs[places[row] as number] as number;
    rows.#count = count;
    return rows;
  }

  get count(): number {
    return this.#count;
  }

  *extents(volume: number): Generator<BlockExtent> {
    for (let row = 0; row < this.#count; row++) {
      const startBlock = this.#starts[row] as number;
      const blockCount = (this.#ends[row] as number) - startBlock;
      const [address, seq] = [this.#addresses[row] as number, this.#seqs[row] as number];
      yield { volume, startBlock, blockCount, address, seq, level: 0 };
    }
  }

  get sizeBytes(): number {
    return this.#starts.length * rowBytes;
  }

  /** Behind all others. */
  add(startBlock: number, endBlock: number, address: number, seq: number): void {
    const row = this.#count;
    assert(row === 0 || startBlock >= (this.#ends[row - 1] as number), "extents come in the order of their blocks");
    if (row === this.#starts.length) this.#resize(Math.max(grownCountMin, 2 * row));
    this.#starts[row] = startBlock;
    this.#ends[row] = endBlock;
    this.#addresses[row] = address;
    this.#seqs[row] = seq;
    this.#count++;
  }

  /** Nothing is added any more. */
  trim(): void {
    this.#resize(this.#count);
  }

  #resize(countMax: number): void {
    this.#starts = resized(this.#starts, countMax);
    this.#ends = resized(this.#ends, countMax);
    this.#addresses = resized(this.#addresses, countMax);
    this.#seqs = resized(this.#seqs, countMax);
  }

  /** What they say of the block, and how far it goes. */
  look(block: number, answer: LayerAnswer): void {
    const behind = firstBehind(this.#starts, this.#count, block);
    const row = behind - 1;
    if (row < 0 || (this.#ends[row] as number) <= block) {
      answer.nothingUntil(behind < this.#count ? (this.#starts[behind] as number) : endOfBlocks);
      return;
    }
    const address = this.#addresses[row] as number;
    answer.says = address === holeAddress ? says.hole : says.data;
    answer.address = address === holeAddress ? holeAddress : address + (block - (this.#starts[row] as number));
    answer.endBlock = this.#ends[row] as number;
    answer.seq = this.#seqs[row] as number;
  }
}

function resized(numbers: Float64Array<ArrayBuffer>, countMax: number): Float64Array<ArrayBuffer> {
  if (numbers.length === countMax) return numbers;
  const other = new Float64Array(countMax);
  other.set(numbers.subarray(0, Math.min(numbers.length, countMax)));
  return other;
}

/** The first of `count` sorted numbers that is higher; `count` where none is. */
export function firstBehind(sorted: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
