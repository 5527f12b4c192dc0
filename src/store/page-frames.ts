/**
 * The frames of the kept blocks that somebody wants of a page of a segment's directory, slot after slot: those that lie
 * behind each other are read at once.
 */
import { frameRunCountMax } from "#src/core/store-limits.ts";
import type { PlacedPart } from "./object-file.ts";
import { partType } from "./part.ts";
import { frameBytesMax } from "./read-plan.ts";
import type { SegmentObject } from "./segment-directory.ts";
import { frameAt, frameSlotAt, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

interface FrameRead {
  /** Undefined: it cannot be read. */
  readonly byteLength: number | undefined;
  readonly bytes: Buffer;
}

export class PageFrames {
  readonly #rooms = Buffer.allocUnsafeSlow(frameRunCountMax * frameBytesMax);
  #object: SegmentObject | undefined;
  #wanted: PlacedPart[] = [];
  /** By their offsets: those that were read last. */
  readonly #read = new Map<number, FrameRead>();
  #readBytes = 0;

  /** What was read of the object since this was last asked. */
  takeReadBytes(): number {
    const taken = this.#readBytes;
    this.#readBytes = 0;
    return taken;
  }

  /** Frames of `page`'s kept slots, of which `isWanted` says which; the page begins with `firstSlot`. */
  begin(object: SegmentObject, page: Buffer, firstSlot: number, isWanted: (slot: number) => boolean): void {
    this.#object = object;
    this.#read.clear();
    this.#wanted = [];
    for (let start = 0; start < page.length; start += slotEntryBytes) {
      if (slotKindAt(page, start) !== slotKind.kept || !isWanted(firstSlot + start / slotEntryBytes)) continue;
      const { offset, storedBytes } = frameAt(page, start);
      if (this.#wanted.at(-1)?.offset === offset) continue;
      const number = frameSlotAt(page, start);
      this.#wanted.push({ type: partType.frame, number, offset, storedBytes, room: this.#rooms });
    }
  }

  /** What the frame at this offset holds, until the next one is asked for; undefined where it cannot be read. */
  async frame(offset: number): Promise<Buffer | undefined> {
    if (!this.#read.has(offset)) await this.#readFrom(offset);
    const found = this.#read.get(offset);
    return found?.byteLength === undefined ? undefined : found.bytes.subarray(0, found.byteLength);
  }

  async #readFrom(offset: number): Promise<void> {
    this.#read.clear();
    const row = rowFrom(
      this.#wanted,
      this.#wanted.findIndex((part) => part.offset === offset),
    );
    const placed = row.map((part, index) => {
      const room = this.#rooms.subarray(index * frameBytesMax, (index + 1) * frameBytesMax);
      this.#readBytes += part.storedBytes;
      return { ...part, room };
    });
    const found = (await this.#object?.readParts(placed)) ?? [];
    for (const [index, part] of placed.entries()) {
      this.#read.set(part.offset, { byteLength: found[index], bytes: part.room });
    }
  }
}

/** Those from `first` on that lie behind each other. */
function rowFrom(parts: readonly PlacedPart[], first: number): PlacedPart[] {
  let end = first + 1;
  while (end < parts.length && end - first < frameRunCountMax) {
    const { offset, storedBytes } = parts[end - 1] as PlacedPart;
    if ((parts[end] as PlacedPart).offset !== offset + storedBytes) break;
    end++;
  }
  return parts.slice(first, end);
}
