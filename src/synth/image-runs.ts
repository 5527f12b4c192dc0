/**
 * What an image says of a row of blocks: runs behind each other, in memory that is used again, so that to ask costs no
 * allocation.
 *
 * Invariants: runs follow each other without gaps, the first at the block that was asked for; neighbours that could be one run
 * are one.
 */
import { assert } from "#src/core/assert.ts";
import { holeAddress } from "#src/records/address.ts";

export const runKind = {
  /** It reads as zeros: never written, trimmed, or zeroed. */
  hole: 0,
  /** Its payload lies at the addresses from `address` on. */
  data: 1,
  /** What would say it is damaged: it cannot be read. To whoever compares, it differs from everything. */
  unknown: 2,
} as const;
export type RunKind = (typeof runKind)[keyof typeof runKind];

/** Answers are cut here: ask again from `endBlock` on. */
export const imageRunsMax = 1024;

export class ImageRuns {
  #kinds = new Uint8Array(imageRunsMax);
  #startBlocks = new Float64Array(imageRunsMax);
  #blockCounts = new Float64Array(imageRunsMax);
  #addresses = new Float64Array(imageRunsMax);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === imageRunsMax;
  }

  /** Behind the last run; 0 where there is none. */
  get endBlock(): number {
    return this.#count === 0 ? 0 : this.startBlock(this.#count - 1) + this.blockCount(this.#count - 1);
  }

  kind(run: number): RunKind {
    return this.#kinds[run] as RunKind;
  }

  startBlock(run: number): number {
    return this.#startBlocks[run] as number;
  }

  blockCount(run: number): number {
    return this.#blockCounts[run] as number;
  }

  /** Of the first block; the others follow it. Of what is no data `holeAddress`. */
  address(run: number): number {
    return this.#addresses[run] as number;
  }

  clear(): void {
    this.#count = 0;
  }

  /** `address`: of data alone. */
  add(kind: RunKind, startBlock: number, blockCount: number, address: number): void {
    const last = this.#count - 1;
    assert(last < 0 || startBlock === this.endBlock, "runs follow each other");
    if (last >= 0 && this.kind(last) === kind && this.#follows(last, kind, address)) {
      this.#blockCounts[last] = this.blockCount(last) + blockCount;
      return;
    }
    assert(!this.isFull, "there is room for a run");
    const run = this.#count++;
    this.#kinds[run] = kind;
    this.#startBlocks[run] = startBlock;
    this.#blockCounts[run] = blockCount;
    this.#addresses[run] = kind === runKind.data ? address : holeAddress;
  }

  #follows(last: number, kind: RunKind, address: number): boolean {
    return kind !== runKind.data || this.address(last) + this.blockCount(last) === address;
  }
}
