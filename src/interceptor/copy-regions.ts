/**
 * What of a source is still to be copied: the pinned regions of its map, in their order, cut into pieces; then those of
 * them that could not be read. A region is unpinned when all of it was passed. Pure.
 *
 *     regions   [ done │ done │ . . ▓ ▓ . │ │ ]        ▓: with a piece that is under way
 *                                       ^next
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes, copyPutBackCountMax } from "#src/core/limits.ts";
import type { Extent } from "#src/host/block-device.ts";
import type { RegionMap } from "./region-map.ts";

/** `initial`: what the source held before it was protected. `resync`: what may differ after some loss. */
export type CopyKind = "initial" | "resync";

export interface CopyProgress {
  readonly kind: CopyKind;
  readonly regionsTotal: number;
  readonly regionsDone: number;
  readonly bytesTotal: number;
  readonly bytesDone: number;
  /** Since it began, or went on after a start; holes count as what they stand for. */
  readonly bytesPerSecond: number;
}

interface BlockRange {
  readonly startBlock: number;
  readonly endBlock: number;
}

export class CopyRegions {
  readonly #map: RegionMap;
  readonly #sizeBlocks: number;
  readonly #regionBlocks: number;
  readonly #begunMs: number;
  readonly #regionsTotal: number;
  readonly bytesTotal: number;
  /** Blocks of a region that were not passed yet; a region that is not in here has not begun, or is done. */
  readonly #openBlocks = new Map<number, number>();
  readonly #putBack: BlockRange[] = [];
  #nextBlock: number | undefined;
  #doneBlocks = 0;
  /** Known to be zeros, in their order, up to `lookedUntilBlock`. */
  #zeros: BlockRange[] = [];
  #lookedUntilBlock = 0;

  constructor(map: RegionMap, sizeBytes: number, nowMs: number) {
    this.#map = map;
    this.#sizeBlocks = Math.ceil(sizeBytes / blockBytes);
    this.#regionBlocks = map.regionBytes / blockBytes;
    this.#begunMs = nowMs;
    this.#regionsTotal = map.pinnedCount;
    this.bytesTotal = this.#regionsTotal * map.regionBytes - this.#missingBytes(sizeBytes);
    this.#enterRegion(0);
  }

  /** What the last region has less than others, if it is one of these. */
  #missingBytes(sizeBytes: number): number {
    const { regionCount, regionBytes } = this.#map;
    return this.#map.nextPinned(regionCount - 1) === undefined ? 0 : regionCount * regionBytes - sizeBytes;
  }

  progress(kind: CopyKind, nowMs: number): CopyProgress {
    const bytesDone = Math.min(this.bytesTotal, this.#doneBlocks * blockBytes);
    const elapsedMs = nowMs - this.#begunMs;
    return {
      kind,
      regionsTotal: this.#regionsTotal,
      regionsDone: this.#regionsTotal - this.#map.pinnedCount,
      bytesTotal: this.bytesTotal,
      bytesDone,
      bytesPerSecond: elapsedMs <= 0 ? 0 : Math.round((bytesDone * 1000) / elapsedMs),
    };
  }

  /** Nothing is left to be taken; what was taken may still be under way. */
  get isDone(): boolean {
    return this.nextBlock() === undefined;
  }

  get lookedUntilBlock(): number {
    return this.#lookedUntilBlock;
  }

  /** Where the next piece begins. */
  nextBlock(): number | undefined {
    return this.#isAtPutBack ? this.#putBack[0]?.startBlock : this.#nextBlock;
  }

  /** All else was taken; or there are so many that no more may be added to them. */
  get #isAtPutBack(): boolean {
    return this.#nextBlock === undefined || this.#putBack.length >= copyPutBackCountMax;
  }

  /** Whether what could not be read must be tried again before anything else. */
  get hasOnlyPutBack(): boolean {
    return this.#putBack.length > 0 && this.#isAtPutBack;
  }

  get putBackCount(): number {
    return this.#putBack.length;
  }

  /** Takes the next piece, from `nextBlock` on, never beyond its region; answers how many blocks it has. */
  take(blocksMax: number): number {
    const back = this.#isAtPutBack ? this.#putBack.shift() : undefined;
    if (back !== undefined) return back.endBlock - back.startBlock;
    const start = this.#nextBlock;
    assert(start !== undefined, "there is something to be taken");
    const blockCount = Math.min(blocksMax, this.#endOf(this.#regionOf(start)) - start);
    this.#advance(start + blockCount);
    return blockCount;
  }

  /** A piece that was taken is in the order, or needs not be. */
  done(startBlock: number, blockCount: number): void {
    const region = this.#regionOf(startBlock);
    const left = (this.#openBlocks.get(region) ?? 0) - blockCount;
    assert(left >= 0, "what is done was taken");
    this.#doneBlocks += blockCount;
    if (left > 0) return void this.#openBlocks.set(region, left);
    this.#openBlocks.delete(region);
    this.#map.unpin(region);
  }

  /** A piece that was taken could not be read. */
  putBack(startBlock: number, blockCount: number): void {
    this.#putBack.push({ startBlock, endBlock: startBlock + blockCount });
  }

  /** What was found from `startBlock` on; nothing: it is to be read. */
  looked(startBlock: number, runs: readonly Extent[]): void {
    let at = startBlock * blockBytes;
    this.#zeros = [];
    for (const { zero, lengthBytes } of runs) {
      const startBlockOfRun = Math.ceil(at / blockBytes);
      at += lengthBytes;
      const isLast = Math.ceil(at / blockBytes) >= this.#sizeBlocks;
      const endBlock = isLast ? this.#sizeBlocks : Math.floor(at / blockBytes);
      if (zero && endBlock > startBlockOfRun) this.#zeros.push({ startBlock: startBlockOfRun, endBlock });
    }
    const isNothing = at === startBlock * blockBytes;
    this.#lookedUntilBlock = isNothing ? this.#endOf(this.#regionOf(startBlock)) : Math.ceil(at / blockBytes);
  }

  /** Passes what is known to be zeros where the next piece would begin; true: it has. Up to the end of the region. */
  skipZeros(): boolean {
    const start = this.nextBlock();
    if (start === undefined || this.#isAtPutBack) return false;
    while (this.#zeros.length > 0 && (this.#zeros[0] as BlockRange).endBlock <= start) this.#zeros.shift();
    const [first] = this.#zeros;
    if (first === undefined || first.startBlock > start) return false;
    const endBlock = Math.min(first.endBlock, this.#endOf(this.#regionOf(start)));
    this.#advance(endBlock);
    this.done(start, endBlock - start);
    return true;
  }

  #advance(block: number): void {
    const region = this.#regionOf(block - 1);
    if (block < this.#endOf(region)) this.#nextBlock = block;
    else this.#enterRegion(region + 1);
  }

  #enterRegion(from: number): void {
    const region = this.#map.nextPinned(from);
    this.#nextBlock = region === undefined ? undefined : region * this.#regionBlocks;
    if (region !== undefined) this.#openBlocks.set(region, this.#endOf(region) - region * this.#regionBlocks);
  }

  #regionOf(block: number): number {
    return Math.floor(block / this.#regionBlocks);
  }

  #endOf(region: number): number {
    return Math.min((region + 1) * this.#regionBlocks, this.#sizeBlocks);
  }
}
