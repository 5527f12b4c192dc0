/**
 * Watches a volume's source as it is written: no block may be newer than what the spool has, nothing goes back to an
 * older record within one life of the interceptor, and under sync nothing is there that the remote does not have.
 */
import { blockBytes } from "#src/core/limits.ts";
import type { Change, SimFile } from "#test/sim/sim-file.ts";
import type { SparseBytes } from "#test/sim/sparse-bytes.ts";
import type { RecordHistory } from "./record-history.ts";
import { cellBytes, cellsPerBlock, stampAt } from "./stamp.ts";
import { demand } from "./violation.ts";

export interface SourceWatchParts {
  readonly file: SimFile;
  /** As the host numbers it in its stamps. */
  readonly volume: number;
  readonly blockCount: number;
  readonly history: RecordHistory;
  /** What the remote site has at this moment, in its memory or on its disk. */
  readonly receivedSeq: () => number;
  /** The volume goes on without its appliance, so that no record says what the source is given. */
  readonly isUnprotected: () => boolean;
}

export class SourceWatch {
  readonly #parts: SourceWatchParts;
  readonly #block = Buffer.alloc(blockBytes);
  readonly #stamps = new Int32Array(cellsPerBlock);
  /** The record that each block was last written from in this life. */
  readonly #appliedSeqs: Float64Array;
  /** All stamps as they were after the last change. */
  readonly #known: Int32Array;

  constructor(parts: SourceWatchParts) {
    this.#parts = parts;
    this.#appliedSeqs = new Float64Array(parts.blockCount);
    this.#known = new Int32Array(parts.blockCount * cellsPerBlock);
  }

  changed(file: SimFile, change: Change): void {
    if (file !== this.#parts.file) return;
    if (change.kind === "truncate") return this.lookAgain();
    const first = Math.floor(change.position / blockBytes);
    const end = Math.ceil((change.position + change.lengthBytes) / blockBytes);
    for (let block = first; block < end; block++) {
      this.#read(this.#parts.file.current, block);
      const isChanged = this.#learn(block);
      // Whoever tries whether holes can be made tries it on a hole.
      if (isChanged || change.kind === "write") this.#demandInOrder(block, isTorn(change, block));
    }
  }

  #demandInOrder(block: number, isPart: boolean): void {
    const { volume, history, receivedSeq, isUnprotected } = this.#parts;
    if (isUnprotected()) return;
    const least = this.#appliedSeqs[block] as number;
    const record = history.findContent(volume, block, this.#stamps, least);
    const where = `block ${block} of volume ${volume}`;
    if (record === undefined) {
      // A write that failed in the middle leaves a part of a block: what it is made of will be looked at when it is read.
      if (isPart) return;
      const older = history.findContent(volume, block, this.#stamps, 0);
      const invariant = older === undefined ? "ahead" : "order";
      const what = older === undefined ? "what no record has" : `seq ${older.seq} after seq ${least}`;
      demand(invariant, false, () => `the source is given ${what} in ${where}: ${[...this.#stamps].join(" ")}`);
      return;
    }
    this.#appliedSeqs[block] = record.seq;
    const isAllowed = !history.needsRemote(record.seq) || record.seq <= receivedSeq();
    demand("ahead", isAllowed, () => `the source has seq ${record.seq} in ${where}, under sync and without the remote`);
  }

  #learn(block: number): boolean {
    const known = this.#known.subarray(block * cellsPerBlock, (block + 1) * cellsPerBlock);
    const isChanged = this.#stamps.some((stamp, cell) => stamp !== known[cell]);
    known.set(this.#stamps);
    return isChanged;
  }

  #read(content: SparseBytes, block: number): void {
    // The last block may not be whole.
    this.#block.fill(0, content.read(this.#block, 0, blockBytes, block * blockBytes));
    for (let cell = 0; cell < cellsPerBlock; cell++) {
      this.#stamps[cell] = stampAt(this.#block, cell * cellBytes, this.#parts.volume, block * cellsPerBlock + cell);
    }
  }

  #stampsOf(content: SparseBytes, firstCell: number, cellCount: number): number[] {
    const { volume } = this.#parts;
    const stamps: number[] = [];
    let isData = false;
    for (let cell = firstCell; cell < firstCell + cellCount; cell++) {
      const cellInBlock = cell % cellsPerBlock;
      if (cellInBlock === 0 || cell === firstCell) {
        const position = (cell - cellInBlock) * cellBytes;
        isData = content.kindAt(position) === "data";
        if (isData) content.read(this.#block, 0, blockBytes, position);
      }
      stamps.push(isData ? stampAt(this.#block, cellInBlock * cellBytes, volume, cell) : 0);
    }
    return stamps;
  }

  /** What programs see. */
  visibleStamps(firstCell: number, cellCount: number): number[] {
    return this.#stampsOf(this.#parts.file.current, firstCell, cellCount);
  }

  /** What a power cut could not take. */
  durableStamps(firstCell: number, cellCount: number): number[] {
    return this.#stampsOf(this.#parts.file.durable, firstCell, cellCount);
  }

  /** The redo begins anew where the source was known to be durable. */
  beginAgain(): void {
    this.#appliedSeqs.fill(0);
  }

  /** Something else than the product has changed it: what was not durable is gone, or somebody wrote to it. */
  lookAgain(): void {
    this.#known.set(this.visibleStamps(0, this.#known.length));
  }
}

/** The change does not cover all of the block. */
function isTorn(change: Exclude<Change, { kind: "truncate" }>, block: number): boolean {
  const start = block * blockBytes;
  return change.position > start || change.position + change.lengthBytes < start + blockBytes;
}
