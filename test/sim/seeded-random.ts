/**
 * Chance from a seed: xoshiro128** on 32-bit whole numbers, so that every machine draws the same. Each part of a
 * simulation draws from a fork of its own; one part drawing more does not change what another draws.
 */
import { assert } from "#src/core/assert.ts";
import type { Randomness } from "#src/host/randomness.ts";

const two32 = 2 ** 32;

export class SeededRandom implements Randomness {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    // The generator must not begin with zeros alone; mixing the seed four times spreads it over all of the state.
    this.#a = mixed(this.#seed + 1);
    this.#b = mixed(this.#a + 2);
    this.#c = mixed(this.#b + 3);
    this.#d = mixed(this.#c + 4) | 1;
  }

  /** Depends on the seed and the label alone, not on what was drawn before. */
  fork(label: string): SeededRandom {
    let hash = this.#seed;
    for (const character of label) hash = mixed(hash ^ (character.codePointAt(0) as number));
    return new SeededRandom(hash);
  }

  #next(): number {
    const result = Math.imul(rotated(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotated(this.#d, 11);
    return result;
  }

  integerBelow(limit: number): number {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= two32, "a limit is from 1 to 2^32");
    return Math.floor((this.#next() / two32) * limit);
  }

  /** Both ends are possible. */
  between(least: number, most: number): number {
    return least + this.integerBelow(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.#next() / two32 < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    assert(items.length > 0, "there is something to pick from");
    return items[this.integerBelow(items.length)] as Item;
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const rest = [...items];
    return items.map(() => rest.splice(this.integerBelow(rest.length), 1)[0] as Item);
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at++) bytes[at] = this.#next() >>> 24;
    return bytes;
  }
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Spreads each bit of the input over all bits of the output. */
function mixed(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
