/** Finds what the directories of sealed segments say of an address; at no cost while addresses lie in one page. */
import { assert } from "#src/core/assert.ts";
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

/** What is near is told by itself, and holds until it is asked for the next one: so it costs no object. */
export class SlotCursor implements Slot {
  readonly #segments: SealedSegments;
  #segment = 0;
  #number = 0;
  #directory: SegmentDirectory | undefined;
  #page: Buffer | undefined;
  #start = 0;

  constructor(segments: SealedSegments) {
    this.#segments = segments;
  }

  get directory(): SegmentDirectory {
    assert(this.#directory !== undefined, "a slot was found");
    return this.#directory;
  }

  get page(): Buffer {
    assert(this.#page !== undefined, "a slot was found");
    return this.#page;
  }

  get start(): number {
    return this.#start;
  }

  /** Without waiting. Undefined: `find` has to look for it. */
  near(address: number): Slot | undefined {
    const slot = slotOf(address);
    const number = pageOf(slot);
    const segment = segmentOf(address);
    const isNear = (segment === this.#segment && number === this.#number) || this.#move(segment, number);
    if (!isNear || this.#page === undefined) return undefined;
    this.#start = (slot % slotsPerPage) * slotEntryBytes;
    return this.#start < this.#page.length ? this : undefined;
  }

  /** To a page that is at hand. */
  #move(segment: number, number: number): boolean {
    const directory = this.#segments.openDirectory(segment);
    const page = directory?.slotsNow(number);
    if (directory === undefined || page === undefined) return false;
    this.#turnTo(segment, number, directory, page);
    return true;
  }

  #turnTo(segment: number, number: number, directory: SegmentDirectory, page: Buffer): void {
    this.#segment = segment;
    this.#number = number;
    this.#directory = directory;
    this.#page = page;
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
    this.#turnTo(segment, number, directory, page);
    return { directory, page, start: (slot % slotsPerPage) * slotEntryBytes };
  }

  /** What is asked for next is looked up anew, since something else may be there by now. */
  forget(): void {
    this.#segment = 0;
    this.#directory = undefined;
    this.#page = undefined;
  }
}
