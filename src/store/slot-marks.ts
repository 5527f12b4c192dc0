/**
 * Marks on slots of segments: a bit each, 8 KiB for a segment that has a mark. So many of them are in memory as are allowed,
 * those used last; the others are in the scratch file, each at a place of its own.
 *
 * Memory: `memoryBytes`, and some 100 bytes for each segment that has a mark. 32 MiB, which each of two sets has usually, are
 * 4096 segments, which are 1 TiB of blocks before anything is found twice.
 */
import { assert } from "#src/core/assert.ts";
import { liveMarksBytes } from "#src/core/store-limits.ts";
import { segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import type { LiveMarks } from "./live-blocks.ts";
import type { MarkScratch } from "./mark-scratch.ts";

export const marksPerSegmentBytes = slotsPerSegment / 8;
/** Of what points reach, and of what needed forwards lead to. */
const setCount = 2;

/** Of each set of marks in memory, where all of them together have so much. */
export function marksSetBytes(memoryBytes: number): number {
  return memoryBytes / setCount;
}

/** What the marks on so many segments take on a disk, at most: nothing, as long as memory has room for all. */
export function marksDiskBytes(segmentCount: number, memoryBytes = liveMarksBytes): number {
  const isAllInMemory = segmentCount <= pageCountMax(marksSetBytes(memoryBytes));
  return isAllInMemory ? 0 : setCount * segmentCount * marksPerSegmentBytes;
}

function pageCountMax(setBytes: number): number {
  return Math.max(1, Math.floor(setBytes / marksPerSegmentBytes));
}

interface Page {
  readonly segment: number;
  readonly bits: Buffer;
  isChanged: boolean;
}

export class SlotMarks implements LiveMarks {
  readonly #pageCountMax: number;
  readonly #scratch: MarkScratch;
  /** By segment; the one used last is last. */
  readonly #pages = new Map<number, Page>();
  /** Of segments whose marks were put into the scratch file: where, counted in pages. */
  readonly #places = new Map<number, number>();
  #last: Page | undefined;

  constructor(memoryBytes: number, scratch: MarkScratch) {
    this.#pageCountMax = pageCountMax(memoryBytes);
    this.#scratch = scratch;
  }

  mark(address: number, blockCount: number): void {
    assert(address >= slotsPerSegment && blockCount > 0, "what is marked has an address");
    for (let at = address; at < address + blockCount; ) {
      const slot = slotOf(at);
      const count = Math.min(slotsPerSegment - slot, address + blockCount - at);
      const page = this.#pageOf(segmentOf(at)) ?? this.#madeFor(segmentOf(at));
      page.isChanged = true;
      setBits(page.bits, slot, slot + count);
      at += count;
    }
  }

  has(segment: number, slot: number): boolean {
    const bits = this.#pageOf(segment)?.bits;
    return bits !== undefined && ((bits[slot >> 3] as number) & (1 << (slot & 7))) !== 0;
  }

  /** That have one. */
  segments(): Set<number> {
    return new Set([...this.#pages.keys(), ...this.#places.keys()]);
  }

  /** Whether any of the segment has one. */
  isAny(segment: number): boolean {
    return this.#pages.has(segment) || this.#places.has(segment);
  }

  /** Whether any slot from `from` to `to` has one: both multiples of 8. */
  isAnyIn(segment: number, from: number, to: number): boolean {
    const bits = this.#pageOf(segment)?.bits;
    if (bits === undefined) return false;
    for (let at = from >> 3; at < to >> 3; at++) if (bits[at] !== 0) return true;
    return false;
  }

  countIn(segment: number): number {
    const bits = this.#pageOf(segment)?.bits;
    if (bits === undefined) return 0;
    let count = 0;
    for (const byte of bits) count += bitsOf[byte] as number;
    return count;
  }

  close(): void {
    this.#scratch.close();
    this.#pages.clear();
    this.#last = undefined;
  }

  /** Undefined: it has no mark. */
  #pageOf(segment: number): Page | undefined {
    if (this.#last?.segment === segment) return this.#last;
    const known = this.#pages.get(segment) ?? this.#readBack(segment);
    if (known === undefined) return undefined;
    return this.#use(known);
  }

  #madeFor(segment: number): Page {
    return this.#use({ segment, bits: Buffer.alloc(marksPerSegmentBytes), isChanged: true });
  }

  #readBack(segment: number): Page | undefined {
    const place = this.#places.get(segment);
    if (place === undefined) return undefined;
    const bits = Buffer.alloc(marksPerSegmentBytes);
    this.#scratch.read(bits, place * marksPerSegmentBytes);
    return { segment, bits, isChanged: false };
  }

  #use(page: Page): Page {
    this.#pages.delete(page.segment);
    this.#pages.set(page.segment, page);
    this.#last = page;
    if (this.#pages.size > this.#pageCountMax) this.#putAway();
    return page;
  }

  #putAway(): void {
    for (const page of this.#pages.values()) {
      if (page.isChanged) {
        const place = this.#places.get(page.segment) ?? this.#places.size;
        this.#scratch.write(page.bits, place * marksPerSegmentBytes);
        this.#places.set(page.segment, place);
      }
      this.#pages.delete(page.segment);
      return;
    }
  }
}

function setBits(bits: Buffer, from: number, to: number): void {
  const firstWhole = Math.ceil(from / 8);
  const endWhole = Math.floor(to / 8);
  if (firstWhole <= endWhole) bits.fill(0xff, firstWhole, endWhole);
  for (let slot = from; slot < Math.min(to, firstWhole * 8); slot++) setBit(bits, slot);
  for (let slot = Math.max(from, endWhole * 8); slot < to; slot++) setBit(bits, slot);
}

function setBit(bits: Buffer, slot: number): void {
  bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
}

const bitsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
});
