/**
 * The beginnings of fingerprints, each with an address, in memory: an open-addressing table in typed arrays, so that a
 * million of them are no objects. A key is two numbers of 32 bits, the fingerprint's first bytes in their order; since
 * fingerprints are chance already, some of a key's bits are its place.
 *
 * Invariants: at most three quarters of the places are taken; places are a power of two.
 */
import { assert } from "#src/core/assert.ts";

const placeCountMin = 1024;
const free = -1;
/** Two halves of a key, and an address. */
const placeBytes = 4 + 4 + 8;
/** Of each entry while it is sorted. */
const sortedBytes = 8;

export class FingerprintTable {
  #high = new Uint32Array(placeCountMin);
  #low = new Uint32Array(placeCountMin);
  #addresses = new Float64Array(placeCountMin).fill(free);
  #count = 0;

  /** What a table needs for so many entries, with what sorting takes for a moment. */
  static bytesFor(count: number): number {
    return placeCountFor(count) * placeBytes + count * sortedBytes;
  }

  /** How many entries fit into so many bytes, at least those of a smallest table. */
  static countFor(bytesMax: number): number {
    let count = countIn(placeCountMin);
    for (let places = placeCountMin * 2; FingerprintTable.bytesFor(countIn(places)) <= bytesMax; places *= 2) {
      count = countIn(places);
    }
    return count;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#addresses.length * placeBytes;
  }

  /** Undefined: there is no such key. */
  get(high: number, low: number): number | undefined {
    const address = this.#addresses[this.#placeOf(high, low)] as number;
    return address === free ? undefined : address;
  }

  put(high: number, low: number, address: number): void {
    assert(address >= 0, "an address is no place that is free");
    if ((this.#count + 1) * 4 > this.#addresses.length * 3) this.#grow();
    const place = this.#placeOf(high, low);
    if (this.#addresses[place] === free) this.#count++;
    this.#high[place] = high;
    this.#low[place] = low;
    this.#addresses[place] = address;
  }

  /** In the order of the keys. */
  visitSorted(visit: (high: number, low: number, address: number) => void): void {
    const words = this.#sortedWords();
    for (let at = 0; at < words.length; at += 2) {
      const high = words[at + 1] as number;
      const low = words[at] as number;
      visit(high, low, this.#addresses[this.#placeOf(high, low)] as number);
    }
  }

  /** Gives its memory back, too. */
  clear(): void {
    this.#high = new Uint32Array(placeCountMin);
    this.#low = new Uint32Array(placeCountMin);
    this.#addresses = new Float64Array(placeCountMin).fill(free);
    this.#count = 0;
  }

  /** Sorted as whole numbers of 64 bits, by the engine's own code and without an object for each. */
  #sortedWords(): Uint32Array {
    const words = new Uint32Array(this.#count * 2);
    let at = 0;
    for (let place = 0; place < this.#addresses.length; place++) {
      if (this.#addresses[place] === free) continue;
      words[at++] = this.#low[place] as number;
      words[at++] = this.#high[place] as number;
    }
    new BigUint64Array(words.buffer).sort();
    return words;
  }

  /** Where the key is, or would be. */
  #placeOf(high: number, low: number): number {
    const mask = this.#addresses.length - 1;
    for (let place = low & mask; ; place = (place + 1) & mask) {
      if (this.#addresses[place] === free) return place;
      if (this.#low[place] === low && this.#high[place] === high) return place;
    }
  }

  #grow(): void {
    const [high, low, addresses] = [this.#high, this.#low, this.#addresses];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(high.length * 2);
    this.#addresses = new Float64Array(high.length * 2).fill(free);
    for (let from = 0; from < addresses.length; from++) {
      if (addresses[from] === free) continue;
      const to = this.#placeOf(high[from] as number, low[from] as number);
      this.#high[to] = high[from] as number;
      this.#low[to] = low[from] as number;
      this.#addresses[to] = addresses[from] as number;
    }
  }
}

function countIn(places: number): number {
  return (places / 4) * 3;
}

function placeCountFor(count: number): number {
  let places = placeCountMin;
  while (places * 3 < count * 4) places *= 2;
  return places;
}
