/** What a volume's source holds before it is protected: stamped as one write that happened before all others. */
import type { SimFile } from "#test/sim/sim-file.ts";
import { cellBytes, cellsPerBlock, putStamps } from "./stamp.ts";

export interface HeldRange {
  readonly startBlock: number;
  readonly blockCount: number;
}

export class HeldContent {
  /** The number in its stamps. */
  readonly number: number;
  readonly #ranges: readonly HeldRange[];

  constructor(number: number, ranges: readonly HeldRange[]) {
    this.number = number;
    this.#ranges = ranges;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  hasCell(cell: number): boolean {
    const block = Math.floor(cell / cellsPerBlock);
    return this.#ranges.some(({ startBlock, blockCount }) => block >= startBlock && block < startBlock + blockCount);
  }

  writeTo(file: SimFile, volume: number): void {
    for (const { startBlock, blockCount } of this.#ranges) {
      const position = startBlock * cellsPerBlock * cellBytes;
      const bytes = Buffer.alloc(Math.min(blockCount * cellsPerBlock * cellBytes, file.current.sizeBytes - position));
      putStamps(bytes, 0, volume, startBlock * cellsPerBlock, bytes.length / cellBytes, this.number);
      file.apply({ kind: "write", position, lengthBytes: bytes.length, bytes });
    }
  }
}
