/**
 * The damage that readers of an image have met, since its layers were put together, or in what was written to a view: what is told of
 * it, and where it can be seen whether it is still there. Of the same thing the blocks are kept that it was met in first.
 */
import { imageFindingsMax } from "#src/core/point-limits.ts";

export interface DamagedRow {
  readonly startBlock: number;
  readonly blockCount: number;
  /** Where they are is not known; otherwise it is the blocks themselves that are damaged. */
  readonly isUnknown: boolean;
}

export class ImageDamage {
  readonly #which: string;
  /** By what is told. */
  #met = new Map<string, DamagedRow>();

  /** `which`: said of blocks that cannot be read, behind their numbers. */
  constructor(which = "") {
    this.#which = which;
  }

  get findings(): readonly string[] {
    return [...this.#met.keys()];
  }

  /** With what is told of each of them. */
  get rows(): readonly (readonly [finding: string, row: DamagedRow])[] {
    return [...this.#met];
  }

  /** What would say where these blocks are, as it was found. */
  unknown(finding: string, startBlock: number, blockCount: number): void {
    this.#note(finding, { startBlock, blockCount, isUnknown: true });
  }

  /** These blocks themselves, in their order. */
  unreadable(blocks: readonly number[]): void {
    for (let first = 0; first < blocks.length; ) {
      const startBlock = blocks[first] as number;
      let end = first + 1;
      while (end < blocks.length && blocks[end] === startBlock + (end - first)) end++;
      const blockCount = end - first;
      const which = blockCount === 1 ? `block ${startBlock}` : `blocks ${startBlock} to ${startBlock + blockCount - 1}`;
      this.#note(`${which}${this.#which} cannot be read`, { startBlock, blockCount, isUnknown: false });
      first = end;
    }
  }

  /** Of these nobody could see whether they still are. */
  putBack(rows: readonly (readonly [finding: string, row: DamagedRow])[]): void {
    for (const [finding, row] of rows) this.#note(finding, row);
  }

  /** Somebody looks whether it still is. */
  drop(finding: string): void {
    this.#met.delete(finding);
  }

  #note(finding: string, row: DamagedRow): void {
    if (this.#met.size < imageFindingsMax && !this.#met.has(finding)) this.#met.set(finding, row);
  }

  clear(): void {
    if (this.#met.size > 0) this.#met = new Map();
  }
}
