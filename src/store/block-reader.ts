/**
 * Reads blocks of sealed segments by their addresses: through a forward, if there is one, out of the frame they are kept
 * in, and checked against what the slot that was asked for says of them. Frames that lie behind each other are read at once.
 *
 * Invariant: bytes that are not what was written under an address are never given; they are told as damaged.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { frameRunCountMax, storeFrameCacheBytes } from "#src/core/store-limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { AbsentObjectError } from "./objects.ts";
import { partType } from "./part.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { type StoredRange, segmentObjectName } from "./segment-format.ts";
import { type Slot, SlotCursor } from "./slot-cursor.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  placeInFrameAt,
  slotChecksumAt,
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

interface FrameUse {
  readonly directory: SegmentDirectory;
  readonly range: StoredRange;
  readonly number: number;
  /** What it holds; undefined: it was not read yet, or it is damaged. */
  bytes: Buffer | undefined;
}

/** A block that can perhaps be read. */
interface FoundBlock {
  readonly slot: Slot;
  /** Undefined: it is zeros. */
  readonly frame: FrameUse | undefined;
  readonly placeInFrame: number;
}

export class BlockReader {
  readonly #segments: SealedSegments;
  readonly #cache = new BoundedCache<string>(storeFrameCacheBytes);

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
    const frames: FrameUse[] = [];
    const found = await this.#find(run, frames);
    await this.#readFrames(frames);
    const damaged: number[] = [];
    for (let block = 0; block < run.blockCount; block++) {
      const one = found[block];
      if (one === undefined || !putBlock(one, target, start + block * blockBytes)) damaged.push(block);
    }
    return damaged;
  }

  async #find(run: AddressRun, frames: FrameUse[]): Promise<(FoundBlock | undefined)[]> {
    const asked = new SlotCursor(this.#segments);
    const forwarded = new SlotCursor(this.#segments);
    const found: (FoundBlock | undefined)[] = [];
    for (let block = 0; block < run.blockCount; block++) {
      const address = run.address + block;
      const slot = asked.near(address) ?? (await soundOf(() => asked.find(address)));
      if (slot === undefined || slotVolumeAt(slot.page, slot.start) !== run.volume) {
        found.push(undefined);
        continue;
      }
      const kind = slotKindAt(slot.page, slot.start);
      if (kind === slotKind.zeros) found.push({ slot, frame: undefined, placeInFrame: 0 });
      else if (kind === slotKind.kept) found.push(keptIn(slot, slot, frames));
      else if (kind === slotKind.forward) found.push(await forwardedTo(slot, forwarded, frames));
      else found.push(undefined);
    }
    return found;
  }

  /** Those that cannot be had stay without their bytes. */
  async #readFrames(frames: readonly FrameUse[]): Promise<void> {
    for (let first = 0; first < frames.length; ) {
      const frame = frames[first] as FrameUse;
      frame.bytes = this.#cache.get(keyOf(frame));
      if (frame.bytes !== undefined) {
        first++;
        continue;
      }
      const row = rowOf(frames, first);
      await this.#readRow(row);
      first += row.length;
    }
  }

  async #readRow(row: readonly FrameUse[]): Promise<void> {
    const places = row.map(({ range, number }) => ({ ...range, type: partType.frame, number }));
    const found = await soundOf(() => (row[0] as FrameUse).directory.object.readParts(places));
    for (const [index, frame] of row.entries()) {
      const bytes = found?.[index];
      frame.bytes = bytes;
      // One of a long row shares its memory with the others, and whoever reads rows does not come back soon.
      if (bytes !== undefined && row.length === 1) this.#cache.put(keyOf(frame), bytes);
    }
  }
}

async function forwardedTo(slot: Slot, cursor: SlotCursor, frames: FrameUse[]): Promise<FoundBlock | undefined> {
  const address = forwardAt(slot.page, slot.start);
  const kept = cursor.near(address) ?? (await soundOf(() => cursor.find(address)));
  const isKept = kept !== undefined && slotKindAt(kept.page, kept.start) === slotKind.kept;
  return isKept ? keptIn(slot, kept, frames) : undefined;
}

/** `kept` says where it is, `slot` what it was when it was asked for. Neighbours share a frame. */
function keptIn(slot: Slot, kept: Slot, frames: FrameUse[]): FoundBlock {
  const range = frameAt(kept.page, kept.start);
  const last = frames.at(-1);
  const isSame = last !== undefined && last.directory === kept.directory && last.range.offset === range.offset;
  const frame = isSame
    ? last
    : { directory: kept.directory, range, number: frameSlotAt(kept.page, kept.start), bytes: undefined };
  if (!isSame) frames.push(frame);
  return { slot, frame, placeInFrame: placeInFrameAt(kept.page, kept.start) };
}

/** The frames from `first` on that lie behind each other in one object. */
function rowOf(frames: readonly FrameUse[], first: number): FrameUse[] {
  const row = [frames[first] as FrameUse];
  for (let next = first + 1; next < frames.length && row.length < frameRunCountMax; next++) {
    const [last, frame] = [row.at(-1) as FrameUse, frames[next] as FrameUse];
    const isNext =
      frame.directory === last.directory && frame.range.offset === last.range.offset + last.range.storedBytes;
    if (!isNext) break;
    row.push(frame);
  }
  return row;
}

function putBlock({ slot, frame, placeInFrame }: FoundBlock, target: Buffer, at: number): boolean {
  if (frame === undefined) target.fill(0, at, at + blockBytes);
  else {
    const from = placeInFrame * blockBytes;
    if (frame.bytes?.copy(target, at, from, from + blockBytes) !== blockBytes) return false;
  }
  return hasChecksum(target, at, at + blockBytes, slot.page, slotChecksumAt(slot.start));
}

function keyOf({ directory, range }: FrameUse): string {
  return `${segmentObjectName(directory.identity)}/${range.offset}`;
}

/** Undefined: it is not there, or not as it was written. */
async function soundOf<Found>(find: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof StopError || error instanceof AbsentObjectError) return undefined;
    throw error;
  }
}
