/**
 * How many groups of a thread gather something at the moment, to do with all of it what is done once for each of them: send
 * a frame, or sync. Few of them are quick. Where they are many, each would have little to do it for, and the thread nothing
 * else to do; so each gathers for longer. Pure.
 */
import { assert } from "#src/core/assert.ts";

/** For each so many that gather at the same time all do so for once as long again, */
export const crowdPerPatience = 8;
/** up to so often. */
export const crowdPatienceMax = 8;

export class Crowd {
  #count = 0;

  entered(): void {
    this.#count++;
  }

  left(): void {
    assert(this.#count > 0, "who leaves has entered");
    this.#count--;
  }

  /** So many times as long as one alone does, whoever enters now may gather. */
  get patience(): number {
    return Math.min(crowdPatienceMax, 1 + Math.floor(this.#count / crowdPerPatience));
  }
}
