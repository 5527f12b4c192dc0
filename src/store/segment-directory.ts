/**
 * What a sealed segment says of its slots, read page by page as it is needed. Pages of all segments share one bounded cache.
 */
import { StopError } from "#src/core/errors.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import type { PlacedPart } from "./object-file.ts";
import { type PartPlace, type PartType, partType } from "./part.ts";
import {
  type PagePlaces,
  pageCountOf,
  type SegmentCounts,
  type SegmentIdentity,
  segmentObjectName,
} from "./segment-format.ts";
import { isSoundPage, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

/** Whatever the type of a part, and its number among those. */
const keysPerSegment = 16 * slotsPerSegment;

/** A sealed segment's object, opened. */
export interface SegmentObject {
  /** Whose journal it is of. */
  readonly group: string;
  readonly counts: SegmentCounts;
  readonly pages: readonly PagePlaces[];
  /** Rejects with a `StopError` that names what is damaged. */
  readPart(place: PartPlace): Promise<Buffer>;
  /** Puts what it holds into `target`, if it is at hand and sound, and answers how many bytes that is. Undefined: the others do it. */
  readPartNow(place: PartPlace, target: Buffer, targetAt: number): number | undefined;
  /** Of parts that lie behind each other: how many bytes each holds, which are in its room; undefined where it is damaged. */
  readParts(parts: readonly PlacedPart[]): Promise<(number | undefined)[]>;
}

export class SegmentDirectory {
  readonly identity: SegmentIdentity;
  readonly counts: SegmentCounts;
  readonly object: SegmentObject;
  readonly #cache: BoundedCache<number>;
  readonly #firstKey: number;

  /** `ordinal` is another one for each that is opened, and so are the keys of what is kept of it. */
  constructor(identity: SegmentIdentity, object: SegmentObject, cache: BoundedCache<number>, ordinal: number) {
    this.identity = identity;
    this.object = object;
    this.counts = object.counts;
    this.#cache = cache;
    this.#firstKey = ordinal * keysPerSegment;
  }

  /** By which a part of it is kept in a cache. */
  keyOf(type: PartType, number: number): number {
    return this.#firstKey + type * slotsPerSegment + number;
  }

  get pageCount(): number {
    return pageCountOf(this.counts.slots);
  }

  /** The same as `slots`, where that is at hand and sound. */
  slotsNow(page: number): Buffer | undefined {
    const known = this.#cache.get(this.keyOf(partType.slots, page));
    const place = this.object.pages[page]?.slots;
    if (known !== undefined || place === undefined) return known;
    const bytes = Buffer.allocUnsafeSlow(this.#bytesOf(page));
    const found = this.object.readPartNow({ ...place, type: partType.slots, number: page }, bytes, 0);
    return found === bytes.length && isSoundPage(bytes, found) ? this.#keep(page, bytes) : undefined;
  }

  #bytesOf(page: number): number {
    return (Math.min((page + 1) * slotsPerPage, this.counts.slots) - page * slotsPerPage) * slotEntryBytes;
  }

  #keep(page: number, bytes: Buffer): Buffer {
    this.#cache.put(this.keyOf(partType.slots, page), bytes);
    return bytes;
  }

  /** The entries of a page's slots, all of them of a form that is known. */
  async slots(page: number): Promise<Buffer> {
    const known = this.slotsNow(page);
    if (known !== undefined) return known;
    const bytes = await this.#read(page, partType.slots);
    const isSound = bytes.length === this.#bytesOf(page) && isSoundPage(bytes, bytes.length);
    if (!isSound) throw this.#damaged(page, "slots");
    return this.#keep(page, bytes);
  }

  /** Of the blocks that the page's slots keep, in the order of the slots. */
  async fingerprints(page: number): Promise<Buffer> {
    const key = this.keyOf(partType.fingerprints, page);
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

  #damaged(page: number, what: string): StopError {
    return new StopError(
      `${segmentObjectName(this.identity)} is damaged: its ${what} of page ${page} are not those of its slots`,
    );
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
