/**
 * Which regions of a volume may differ between source, spool and remote: a bit for each. Pure; the file that holds it is
 * `RegionMapFile`'s matter. Counts in blocks.
 *
 * Why regions are marked ahead: a bit must be durable before the first record of its region may be made, so writers wait
 * for a sync at each region they enter. With the one that is needed the next `regionsMarkedAhead` are marked by the same
 * sync; a writer that goes straight on finds them marked, and those behind them are asked for when it enters the next
 * one, while it still has marked ones in front of it. A volume of a few regions is marked whole by its first writes. The
 * price is paid after a loss of power only: so much more is compared then as was marked and not written.
 *
 * Why regions stay marked for a while: a region that was written in the last interval, or the one before, will probably
 * be written again, and would cost its writer another sync.
 *
 * Invariants: pinned ⊆ written ⊆ marked; durable ⊆ marked; a region that `covers` answers for is marked in every copy that
 * the disk may show.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp, divCeil } from "#src/core/byte-range.ts";
import { blockBytes, regionBytesMin, regionCountMax, regionsMarkedAhead } from "#src/core/limits.ts";

/** No region follows it. */
const noRegion = -2;

export function regionBytesOf(sizeBytes: number): number {
  return Math.max(regionBytesMin, alignUp(divCeil(sizeBytes, regionCountMax), regionBytesMin));
}

export class RegionMap {
  readonly regionBytes: number;
  readonly regionCount: number;
  readonly #regionBlocks: number;
  /** What is, or shall be, marked on the disk. */
  readonly #marked: Uint8Array;
  /** What is known to be marked on the disk. */
  readonly #durable: Uint8Array;
  /** Marked, and not only ahead of a writer: there may be records of it. */
  readonly #written: Uint8Array;
  /** Marked, and to stay so: a resync has not come there yet. */
  readonly #pinned: Uint8Array;
  /** Written since the last interval began, and in the interval before. */
  #recent: Uint8Array;
  #earlier: Uint8Array;
  #lastRegion = noRegion;

  /** `bits`: what was found on the disk, and is surely there. */
  constructor(sizeBytes: number, bits?: Uint8Array) {
    this.regionBytes = regionBytesOf(sizeBytes);
    this.#regionBlocks = this.regionBytes / blockBytes;
    this.regionCount = divCeil(sizeBytes, this.regionBytes);
    const byteLength = bitmapBytesOf(sizeBytes);
    this.#marked = new Uint8Array(byteLength);
    if (bits !== undefined) this.#marked.set(bits);
    this.#durable = this.#marked.slice();
    // Of what an earlier life has marked nobody knows any more why.
    this.#written = this.#marked.slice();
    this.#pinned = new Uint8Array(byteLength);
    this.#recent = this.#marked.slice();
    this.#earlier = new Uint8Array(byteLength);
  }

  /** Whether records of these blocks may be made. */
  covers(startBlock: number, blockCount: number): boolean {
    const last = this.#regionOf(startBlock + blockCount - 1);
    for (let region = this.#regionOf(startBlock); region <= last; region++) {
      if (!has(this.#durable, region)) return false;
    }
    return true;
  }

  /** Marks what is not; true if the file has to be written for it. */
  want(startBlock: number, blockCount: number): boolean {
    const last = this.#regionOf(startBlock + blockCount - 1);
    let isNew = false;
    for (let region = this.#regionOf(startBlock); region <= last; region++) {
      if (!has(this.#marked, region)) isNew = this.#markAhead(region) || isNew;
    }
    return isNew;
  }

  #markAhead(first: number): boolean {
    const end = Math.min(first + 1 + regionsMarkedAhead, this.regionCount);
    for (let region = first; region < end; region++) {
      set(this.#marked, region);
      set(this.#recent, region);
    }
    return first < end;
  }

  /** A record of these blocks was made; true if the file should be written soon, for where the writer is going. */
  touch(startBlock: number, blockCount: number): boolean {
    const first = this.#regionOf(startBlock);
    const last = this.#regionOf(startBlock + blockCount - 1);
    if (first === this.#lastRegion && first === last) return false;
    this.keep(startBlock, blockCount);
    const isGoingOn = first === this.#lastRegion + 1 || first === this.#lastRegion;
    this.#lastRegion = last;
    const ahead = last + regionsMarkedAhead / 2;
    return isGoingOn && ahead < this.regionCount && !has(this.#marked, ahead) && this.#markAhead(ahead);
  }

  /** A record of these blocks is on its way: their marks are not at rest. */
  keep(startBlock: number, blockCount: number): void {
    const last = this.#regionOf(startBlock + blockCount - 1);
    for (let region = this.#regionOf(startBlock); region <= last; region++) {
      assert(has(this.#durable, region), "a region is marked before records of it are made");
      set(this.#recent, region);
      set(this.#written, region);
    }
  }

  /** What the next copy of the file says. */
  image(): Uint8Array {
    return this.#marked.slice();
  }

  /** This image is durable now. What was cleared meanwhile will be missing in the next one. */
  madeDurable(image: Uint8Array): void {
    for (let index = 0; index < image.length; index++) {
      this.#durable[index] = (image[index] as number) & (this.#marked[index] as number);
    }
  }

  /** All marks that were wanted are on the disk. */
  get isDurable(): boolean {
    return this.#marked.every((byte, index) => byte === this.#durable[index]);
  }

  /** What is touched from now on is not cleared by the next `clear`. */
  beginInterval(): void {
    this.#earlier = this.#recent;
    this.#recent = new Uint8Array(this.#marked.length);
    this.#lastRegion = noRegion;
  }

  /**
   * All records made before this interval began are durable at both sides: their marks may go. Unless `all` is set, those
   * of regions that were written in the interval before are kept. True if the file should be written.
   */
  clear(all: boolean): boolean {
    let isChanged = false;
    for (let index = 0; index < this.#marked.length; index++) {
      const written = (this.#recent[index] as number) | (all ? 0 : (this.#earlier[index] as number));
      const kept = (this.#marked[index] as number) & (written | (this.#pinned[index] as number));
      isChanged ||= kept !== this.#marked[index];
      this.#marked[index] = kept;
      this.#durable[index] = (this.#durable[index] as number) & kept;
      this.#written[index] = (this.#written[index] as number) & kept;
    }
    return isChanged;
  }

  markAll(): void {
    for (let region = 0; region < this.regionCount; region++) set(this.#marked, region);
    this.#written.set(this.#marked);
  }

  get markedCount(): number {
    return countOf(this.#marked);
  }

  /** All that is marked stays so, until `unpin`; but for what was marked ahead, and no writer has come to. */
  pinMarked(): void {
    this.#pinned.set(this.#written);
  }

  get pinnedCount(): number {
    return countOf(this.#pinned);
  }

  /** The first pinned region from `region` on. */
  nextPinned(region: number): number | undefined {
    for (let next = region; next < this.regionCount; next++) if (has(this.#pinned, next)) return next;
    return undefined;
  }

  unpin(region: number): void {
    this.#pinned[region >> 3] = (this.#pinned[region >> 3] as number) & ~(1 << (region & 7));
  }

  #regionOf(block: number): number {
    return Math.floor(block / this.#regionBlocks);
  }
}

export function bitmapBytesOf(sizeBytes: number): number {
  return divCeil(divCeil(sizeBytes, regionBytesOf(sizeBytes)), 8);
}

/** Marks all regions of a volume of this size that any of these bytes lie in. */
export function markBytes(bits: Uint8Array, sizeBytes: number, fromByte: number, toByte: number): void {
  const regionBytes = regionBytesOf(sizeBytes);
  const end = Math.min(toByte, sizeBytes);
  for (let region = Math.floor(fromByte / regionBytes); region * regionBytes < end; region++) set(bits, region);
}

/** What these marks are for a volume of another size, whose regions may be larger or smaller. No mark is lost. */
export function resizedBits(bits: Uint8Array, previousBytes: number, sizeBytes: number): Uint8Array {
  const regionBytes = regionBytesOf(previousBytes);
  const resized = new Uint8Array(bitmapBytesOf(sizeBytes));
  for (let region = 0; region * regionBytes < previousBytes; region++) {
    if (has(bits, region)) markBytes(resized, sizeBytes, region * regionBytes, (region + 1) * regionBytes);
  }
  return resized;
}

function has(bits: Uint8Array, region: number): boolean {
  return ((bits[region >> 3] as number) & (1 << (region & 7))) !== 0;
}

function set(bits: Uint8Array, region: number): void {
  bits[region >> 3] = (bits[region >> 3] as number) | (1 << (region & 7));
}

function countOf(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
