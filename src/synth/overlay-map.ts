/**
 * What was written to a view, block by block: an address, zeros, or nothing, so that the point shows through. Large ranges of
 * zeros cost next to nothing, since a new file system begins by trimming all of the disk.
 *
 * Invariants: a block that is in a table is decided by it; one that is not is a zero where its region is covered, and the point's
 * elsewhere; `#counts` says how many blocks of a region are in its table.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { viewRegionBlocks, viewTableCount } from "#src/core/view-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { BlockTable } from "./block-table.ts";

/** Stands for an address: nothing was written here. */
export const untouched = -1;

/** Blocks behind each other of one kind; the object is used again. */
export class OverlayRun {
  blockCount = 0;
  /** Of the first block, the others follow it; `holeAddress`: they are zeros; `untouched`: they are the point's. */
  address: number = untouched;
}

export class OverlayMap {
  readonly #tables = Array.from({ length: viewTableCount }, () => new BlockTable());
  readonly #isCovered: Uint8Array;
  readonly #counts: Uint16Array;
  readonly #blockCount: number;
  #tableBlocks = 0;
  #coveredRegions = 0;

  constructor(blockCount: number) {
    const regionCount = Math.ceil(blockCount / viewRegionBlocks);
    this.#blockCount = blockCount;
    this.#isCovered = new Uint8Array(regionCount);
    this.#counts = new Uint16Array(regionCount);
  }

  /** Blocks that take memory each. */
  get tableBlocks(): number {
    return this.#tableBlocks;
  }

  get isEmpty(): boolean {
    return this.#tableBlocks === 0 && this.#coveredRegions === 0;
  }

  /** The blocks have what lies from `address` on. */
  write(startBlock: number, blockCount: number, address: number): void {
    this.#assertWithin(startBlock, blockCount);
    for (let index = 0; index < blockCount; index++) this.#set(startBlock + index, address + index);
  }

  /** The blocks read as zeros. */
  clear(startBlock: number, blockCount: number): void {
    this.#assertWithin(startBlock, blockCount);
    const end = startBlock + blockCount;
    const wholeFrom = Math.ceil(startBlock / viewRegionBlocks);
    const isToEnd = end === this.#blockCount;
    const wholeTo = isToEnd ? this.#counts.length : divFloor(end, viewRegionBlocks);
    for (let region = wholeFrom; region < wholeTo; region++) this.#cover(region);
    if (wholeFrom > wholeTo) return this.#clearBlocks(wholeTo, startBlock, end);
    if (startBlock < wholeFrom * viewRegionBlocks) {
      this.#clearBlocks(wholeFrom - 1, startBlock, Math.min(end, wholeFrom * viewRegionBlocks));
    }
    if (!isToEnd && wholeTo * viewRegionBlocks < end) this.#clearBlocks(wholeTo, wholeTo * viewRegionBlocks, end);
  }

  /** Of the blocks from `block` on, and before `endBlock`, some that are of one kind; the next may be of the same. */
  runAt(block: number, endBlock: number, run: OverlayRun): void {
    const address = this.#find(block);
    let next = this.#quietEnd(block, endBlock, address);
    if (next === block) {
      next = block + 1;
      const regionEnd = (divFloor(block, viewRegionBlocks) + 1) * viewRegionBlocks;
      const end = Math.min(endBlock, regionEnd);
      while (next < end && this.#find(next) === followingOf(address, next - block)) next++;
    }
    run.address = address;
    run.blockCount = next - block;
  }

  /** The end of regions of the same kind that have no block in a table: they are not looked at block by block. */
  #quietEnd(block: number, endBlock: number, address: number): number {
    const first = divFloor(block, viewRegionBlocks);
    const end = Math.ceil(endBlock / viewRegionBlocks);
    const isCovered = address === holeAddress ? 1 : 0;
    if (address > holeAddress) return block;
    let region = first;
    while (region < end && this.#counts[region] === 0 && this.#isCovered[region] === isCovered) region++;
    return region === first ? block : Math.min(endBlock, region * viewRegionBlocks);
  }

  #find(block: number): number {
    const region = divFloor(block, viewRegionBlocks);
    const elsewhere = this.#isCovered[region] === 1 ? holeAddress : untouched;
    if (this.#counts[region] === 0) return elsewhere;
    const found = this.#tableOf(region).get(block);
    return found === -1 ? elsewhere : found;
  }

  #set(block: number, address: number): void {
    const region = divFloor(block, viewRegionBlocks);
    if (!this.#tableOf(region).set(block, address)) return;
    this.#counts[region] = (this.#counts[region] as number) + 1;
    this.#tableBlocks++;
  }

  #cover(region: number): void {
    if (this.#counts[region] !== 0) this.#takeOut(region, region * viewRegionBlocks, (region + 1) * viewRegionBlocks);
    if (this.#isCovered[region] === 0) this.#coveredRegions++;
    this.#isCovered[region] = 1;
  }

  #clearBlocks(region: number, startBlock: number, endBlock: number): void {
    if (this.#isCovered[region] === 1) return this.#takeOut(region, startBlock, endBlock);
    for (let block = startBlock; block < endBlock; block++) this.#set(block, holeAddress);
  }

  #takeOut(region: number, startBlock: number, endBlock: number): void {
    const table = this.#tableOf(region);
    for (let block = startBlock; block < endBlock && this.#counts[region] !== 0; block++) {
      if (!table.delete(block)) continue;
      this.#counts[region] = (this.#counts[region] as number) - 1;
      this.#tableBlocks--;
    }
  }

  #tableOf(region: number): BlockTable {
    return this.#tables[region % viewTableCount] as BlockTable;
  }

  #assertWithin(startBlock: number, blockCount: number): void {
    assert(startBlock >= 0 && startBlock + blockCount <= this.#blockCount, "what is written lies within the view");
  }
}

function followingOf(address: number, blocks: number): number {
  return address > holeAddress ? address + blocks : address;
}
