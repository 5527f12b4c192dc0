/**
 * Reads blocks of sealed segments by their addresses: through a forward, if there is one, out of the frame they are kept
 * in, and checked against what the slot that was asked for says of them.
 *
 * Invariant: bytes that are not what was written under an address are never given; they are told as damaged.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage, storeFrameCacheBytes } from "#src/core/store-limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { AbsentObjectError } from "./objects.ts";
import { partType } from "./part.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { segmentObjectName } from "./segment-format.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  placeInFrameAt,
  slotChecksumAt,
  slotEntryBytes,
  slotKind,
  slotKindAt,
  slotVolumeAt,
} from "./slot-page.ts";

/** Blocks behind each other: their addresses are, too. */
export interface AddressRun {
  readonly address: number;
  readonly blockCount: number;
  readonly volume: number;
}

interface Slot {
  readonly directory: SegmentDirectory;
  readonly page: Buffer;
  /** Of its entry in the page. */
  readonly start: number;
}

export class BlockReader {
  readonly #segments: SealedSegments;
  readonly #frames = new BoundedCache<string>(storeFrameCacheBytes);

  constructor(segments: SealedSegments) {
    this.#segments = segments;
  }

  has(segment: number): boolean {
    return this.#segments.has(segment);
  }

  /**
   * Reads them to `start` in `target`. Answers which of them are damaged, counted from the first one on: of these nothing
   * is to be believed.
   */
  async read(run: AddressRun, target: Buffer, start: number): Promise<number[]> {
    const damaged: number[] = [];
    for (let block = 0; block < run.blockCount; block++) {
      const isSound = await this.#readBlock(run.address + block, run.volume, target, start + block * blockBytes);
      if (!isSound) damaged.push(block);
    }
    return damaged;
  }

  async #readBlock(address: number, volume: number, target: Buffer, at: number): Promise<boolean> {
    try {
      const slot = await this.#slot(address);
      if (slot === undefined || slotVolumeAt(slot.page, slot.start) !== volume) return false;
      const isRead = await this.#readSlot(slot, target, at);
      return isRead && hasChecksum(target, at, at + blockBytes, slot.page, slotChecksumAt(slot.start));
    } catch (error) {
      if (error instanceof StopError || error instanceof AbsentObjectError) return false;
      throw error;
    }
  }

  /** Undefined: the segment has no such slot. */
  async #slot(address: number): Promise<Slot | undefined> {
    const segment = segmentOf(address);
    if (!this.#segments.has(segment)) return undefined;
    const directory = await this.#segments.directory(segment);
    const slot = slotOf(address);
    if (slot >= directory.counts.slots) return undefined;
    const number = Math.floor(slot / slotsPerPage);
    const page = directory.cachedSlots(number) ?? (await directory.slots(number));
    return { directory, page, start: (slot % slotsPerPage) * slotEntryBytes };
  }

  async #readSlot(slot: Slot, target: Buffer, at: number): Promise<boolean> {
    switch (slotKindAt(slot.page, slot.start)) {
      case slotKind.zeros:
        target.fill(0, at, at + blockBytes);
        return true;
      case slotKind.kept:
        return this.#readKept(slot, target, at);
      case slotKind.forward: {
        const kept = await this.#slot(forwardAt(slot.page, slot.start));
        const isKept = kept !== undefined && slotKindAt(kept.page, kept.start) === slotKind.kept;
        return isKept && (await this.#readKept(kept, target, at));
      }
      default:
        return false;
    }
  }

  async #readKept(slot: Slot, target: Buffer, at: number): Promise<boolean> {
    const frame = await this.#frame(slot);
    const from = placeInFrameAt(slot.page, slot.start) * blockBytes;
    return frame.copy(target, at, from, from + blockBytes) === blockBytes;
  }

  async #frame({ directory, page, start }: Slot): Promise<Buffer> {
    const range = frameAt(page, start);
    const key = `${segmentObjectName(directory.identity)}/${range.offset}`;
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const number = frameSlotAt(page, start);
    const frame = await directory.object.readPart({ ...range, type: partType.frame, number });
    this.#frames.put(key, frame);
    return frame;
  }
}
