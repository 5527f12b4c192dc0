/**
 * Says of a key that it is certainly not there, or that it may be: a Bloom filter in blocks of 32 bytes, so that a question
 * touches one line of memory. Of each word of its block a key has at most one bit.
 *
 * Invariant: what was added may be there, always.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";

const wordsPerBlock = 8;
const filterBlockBytes = wordsPerBlock * 4;
const two32 = 2 ** 32;
/** Odd numbers of chance: each makes another five bits of the same key. */
const multipliers = new Int32Array([
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
]);

export interface FilterRoom {
  readonly bitsPerKey: number;
  readonly bytesMax: number;
}

export class FingerprintFilter {
  /** The whole content. */
  readonly words: Uint32Array;
  /** Bits that a key sets: more make a filter surer until it is crowded. */
  readonly bitsSet: number;
  readonly #blockCount: number;

  constructor(words: Uint32Array, bitsSet: number) {
    assert(isFilterShape(words.byteLength, bitsSet), "a filter is whole blocks, with a bit of each word at most");
    this.words = words;
    this.bitsSet = bitsSet;
    this.#blockCount = words.length / wordsPerBlock;
  }

  static forKeys(keyCount: number, room: FilterRoom): FingerprintFilter {
    const bytes = FingerprintFilter.bytesFor(keyCount, room);
    const bits = (bytes * 8) / Math.max(1, keyCount);
    const bitsSet = Math.max(1, Math.min(wordsPerBlock, Math.round(bits * Math.LN2)));
    return new FingerprintFilter(new Uint32Array(bytes / 4), bitsSet);
  }

  /** What is wanted for so many keys, or the most that is allowed. */
  static bytesFor(keyCount: number, { bitsPerKey, bytesMax }: FilterRoom): number {
    const wanted = Math.ceil((keyCount * bitsPerKey) / 8 / filterBlockBytes);
    return Math.max(1, Math.min(wanted, divFloor(bytesMax, filterBlockBytes))) * filterBlockBytes;
  }

  get bytes(): number {
    return this.words.byteLength;
  }

  add(high: number, low: number): void {
    const block = this.#blockOf(high);
    for (let index = 0; index < this.bitsSet; index++) {
      const at = block + ((high + index) & (wordsPerBlock - 1));
      this.words[at] = (this.words[at] as number) | bitOf(low, index);
    }
  }

  mayHave(high: number, low: number): boolean {
    const block = this.#blockOf(high);
    for (let index = 0; index < this.bitsSet; index++) {
      const word = this.words[block + ((high + index) & (wordsPerBlock - 1))] as number;
      if ((word & bitOf(low, index)) === 0) return false;
    }
    return true;
  }

  /** By the key's first bits, so that keys in their order go through the memory in its order. */
  #blockOf(high: number): number {
    return Math.floor((high * this.#blockCount) / two32) * wordsPerBlock;
  }
}

function bitOf(low: number, index: number): number {
  return 1 << (Math.imul(low, multipliers[index] as number) >>> 27);
}

/** Whether there can be a filter of so many bytes, with so many bits for a key. */
export function isFilterShape(byteLength: number, bitsSet: number): boolean {
  const isWhole = byteLength > 0 && byteLength % filterBlockBytes === 0;
  return isWhole && bitsSet >= 1 && bitsSet <= wordsPerBlock;
}
