/** Finds what the directories of sealed segments say of an address; at no cost while addresses lie in one page. */
import { slotsPerPage } from "#src/core/store-limits.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { slotEntryBytes } from "./slot-page.ts";

/** A slot's entry in a page of its segment's directory. */
export interface Slot {
  readonly directory: SegmentDirectory;
  readonly page: Buffer;
  readonly start: number;
}

/** Which page of its segment's directory speaks of a slot. */
export function pageOf(slot: number): number {
  return Math.floor(slot / slotsPerPage);
}

export class SlotCursor {
  readonly #segments: SealedSegments;
  #segment = 0;
  #number = 0;
  #directory: SegmentDirectory | undefined;
  #page: Buffer | undefined;

  constructor(segments: SealedSegments) {
    this.#segments = segments;
  }

  /** Undefined: `find` has to look for it. */
  near(address: number): Slot | undefined {
    const slot = slotOf(address);
    const isNear = segmentOf(address) === this.#segment && pageOf(slot) === this.#number;
    if (!isNear || this.#directory === undefined || this.#page === undefined) return undefined;
    const start = (slot % slotsPerPage) * slotEntryBytes;
    return start < this.#page.length ? { directory: this.#directory, page: this.#page, start } : undefined;
  }

  /** Undefined: there is no such slot. Rejects with a `StopError` where what would say so is damaged. */
  async find(address: number): Promise<Slot | undefined> {
    const segment = segmentOf(address);
    const slot = slotOf(address);
    if (!this.#segments.has(segment)) return undefined;
    const directory = await this.#segments.directory(segment);
    if (slot >= directory.counts.slots) return undefined;
    const number = pageOf(slot);
    const page = await directory.slots(number);
    this.#segment = segment;
    this.#number = number;
    this.#directory = directory;
    this.#page = page;
    return { directory, page, start: (slot % slotsPerPage) * slotEntryBytes };
  }
}
