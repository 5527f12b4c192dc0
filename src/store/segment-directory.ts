/**
 * What a sealed segment says of its slots, read page by page as it is needed. Pages of all segments share one bounded cache.
 */
import { StopError } from "#src/core/errors.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import { type PartPlace, type PartType, partType } from "./part.ts";
import {
  type PagePlaces,
  pageCountOf,
  type SegmentCounts,
  type SegmentIdentity,
  segmentObjectName,
} from "./segment-format.ts";
import { isSoundPage, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

/** A sealed segment's object, opened. */
export interface SegmentObject {
  readonly counts: SegmentCounts;
  readonly pages: readonly PagePlaces[];
  /** Rejects with a `StopError` that names what is damaged. */
  readPart(place: PartPlace): Promise<Buffer>;
  /** Of parts that lie behind each other what each holds; undefined where it is damaged. */
  readParts(places: readonly PartPlace[]): Promise<(Buffer | undefined)[]>;
}

export class SegmentDirectory {
  readonly identity: SegmentIdentity;
  readonly counts: SegmentCounts;
  readonly object: SegmentObject;
  readonly #cache: BoundedCache<string>;
  readonly #name: string;

  constructor(identity: SegmentIdentity, object: SegmentObject, cache: BoundedCache<string>) {
    this.identity = identity;
    this.object = object;
    this.counts = object.counts;
    this.#cache = cache;
    this.#name = segmentObjectName(identity);
  }

  get pageCount(): number {
    return pageCountOf(this.counts.slots);
  }

  /** Undefined: it was not read lately. */
  cachedSlots(page: number): Buffer | undefined {
    return this.#cache.get(this.#key(page, partType.slots));
  }

  /** The entries of a page's slots, all of them of a form that is known. */
  async slots(page: number): Promise<Buffer> {
    const known = this.cachedSlots(page);
    if (known !== undefined) return known;
    const bytes = await this.#read(page, partType.slots);
    const expected = (Math.min((page + 1) * slotsPerPage, this.counts.slots) - page * slotsPerPage) * slotEntryBytes;
    if (bytes.length !== expected || !isSoundPage(bytes, bytes.length)) throw this.#damaged(page, "slots");
    this.#cache.put(this.#key(page, partType.slots), bytes);
    return bytes;
  }

  /** Of the blocks that the page's slots keep, in the order of the slots. */
  async fingerprints(page: number): Promise<Buffer> {
    const key = this.#key(page, partType.fingerprints);
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const keptCount = keptCountOf(await this.slots(page));
    const bytes = keptCount === 0 ? Buffer.alloc(0) : await this.#read(page, partType.fingerprints);
    if (bytes.length !== keptCount * fingerprintBytes) throw this.#damaged(page, "fingerprints");
    this.#cache.put(key, bytes);
    return bytes;
  }

  #read(page: number, type: PartType): Promise<Buffer> {
    const places = this.object.pages[page];
    if (places === undefined) throw this.#damaged(page, "table");
    const place = type === partType.slots ? places.slots : places.fingerprints;
    return this.object.readPart({ ...place, type, number: page });
  }

  #key(page: number, type: number): string {
    return `${this.#name}/${type}/${page}`;
  }

  #damaged(page: number, what: string): StopError {
    return new StopError(`${this.#name} is damaged: its ${what} of page ${page} are not those of its slots`);
  }
}

function keptCountOf(page: Buffer): number {
  let count = 0;
  for (let start = 0; start < page.length; start += slotEntryBytes) {
    if (slotKindAt(page, start) === slotKind.kept) count++;
  }
  return count;
}

/** How many of the page's slots before `index` keep a block. */
export function keptBefore(page: Buffer, index: number): number {
  return keptCountOf(page.subarray(0, index * slotEntryBytes));
}
