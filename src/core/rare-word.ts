/** What may happen thousands of times in a second is told of once in a while, with how often it was since then. Pure. */
import { assert } from "./assert.ts";

export class RareWord {
  readonly #everyMs: number;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(everyMs: number) {
    assert(everyMs > 0, "a word that is rare is not said all the time");
    this.#everyMs = everyMs;
  }

  /** How often it has happened since it was told last, with this time, where it is to be told now. */
  happened(nowMs: number): number | undefined {
    this.#count++;
    if (nowMs - this.#toldAtMs < this.#everyMs) return undefined;
    const count = this.#count;
    this.#count = 0;
    this.#toldAtMs = nowMs;
    return count;
  }
}
