/**
 * Finds the first bad point between a good one and a bad one; each time one half is looked at no more. Pure: it says which seq to
 * try next, and is told which point is the last one up to there, since not every seq is one, and whether that one is bad.
 *
 * Invariants: `goodSeq` was found good and `badSeq` bad; from behind the good one up to `#emptyUpTo` there is no point.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";

export class Bisection {
  #goodSeq: number;
  #badSeq: number;
  #emptyUpTo: number;

  constructor(goodSeq: number, badSeq: number) {
    if (goodSeq >= badSeq) {
      throw new RefuseError(`the good point (seq:${goodSeq}) must be before the bad one (seq:${badSeq})`);
    }
    this.#goodSeq = goodSeq;
    this.#badSeq = badSeq;
    this.#emptyUpTo = goodSeq;
  }

  get goodSeq(): number {
    return this.#goodSeq;
  }

  get badSeq(): number {
    return this.#badSeq;
  }

  /** So many tries are left at most. */
  get triesLeft(): number {
    return Math.ceil(Math.log2(Math.max(1, this.#badSeq - this.#emptyUpTo)));
  }

  /** The last point up to there is to be tried. Undefined: `badSeq` is the first bad point. */
  get nextSeq(): number | undefined {
    if (this.#badSeq - this.#emptyUpTo <= 1) return undefined;
    return Math.floor((this.#emptyUpTo + this.#badSeq) / 2);
  }

  /** Whether the last point up to `nextSeq` has to be tried, or is known. */
  isNews(pointSeq: number): boolean {
    return pointSeq > this.#goodSeq;
  }

  /** `pointSeq`: the last point up to `nextSeq`. `isBad`: of one that is news. */
  found(pointSeq: number, isBad: boolean): void {
    const { nextSeq } = this;
    assert(nextSeq !== undefined && pointSeq <= nextSeq, "what was asked for was found");
    if (!this.isNews(pointSeq)) {
      this.#emptyUpTo = nextSeq;
    } else if (isBad) {
      this.#badSeq = pointSeq;
    } else {
      this.#goodSeq = pointSeq;
      this.#emptyUpTo = nextSeq;
    }
  }
}
