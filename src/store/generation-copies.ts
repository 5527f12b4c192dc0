/** Blocks of a segment's slots that its other generations have: what one of them lost another one may have. */

import { slotsPerPage } from "#src/core/store-limits.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { KeptBlock } from "./kept-block.ts";
import { unlessUnreadable } from "./object-presence.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { SegmentIdentity } from "./segment-format.ts";
import { pageOf, type Slot } from "./slot-cursor.ts";
import { forwardAt, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

export class GenerationCopies {
  readonly #segments: SealedSegments;
  readonly #generations: readonly SegmentIdentity[];
  /** Those of them that can be read. */
  #directories: readonly SegmentDirectory[] | undefined;
  readonly #kept = new KeptBlock();

  constructor(segments: SealedSegments, generations: readonly SegmentIdentity[]) {
    this.#segments = segments;
    this.#generations = generations;
  }

  /**
   * Undefined: none of them has it, or gives it. It is what that one says of it, and no more. Where one keeps the slot and does
   * not give the block, others may point to the slot by now: then it is what another one's forward leads to.
   */
  async read(slot: number): Promise<Buffer | undefined> {
    this.#directories ??= await this.#opened();
    let isKept = false;
    let target: number | undefined;
    for (const directory of this.#directories) {
      const entry = await unlessUnreadable(entryOf(directory, slot));
      const kind = entry === undefined ? slotKind.none : slotKindAt(entry.page, entry.start);
      if (entry !== undefined && kind === slotKind.forward) target ??= forwardAt(entry.page, entry.start);
      if (kind !== slotKind.kept) continue;
      isKept = true;
      const found = await unlessUnreadable(this.#readFrom(directory, slot));
      if (found !== undefined) return found;
    }
    return isKept && target !== undefined ? await this.#readTarget(target, slot) : undefined;
  }

  async #readTarget(target: number, from: number): Promise<Buffer | undefined> {
    const slot = slotOf(target);
    const isWithin = segmentOf(target) === this.#generations[0]?.segment;
    if (isWithin) return slot < from ? await this.read(slot) : undefined;
    return await unlessUnreadable(this.#readElsewhere(target));
  }

  async #readElsewhere(address: number): Promise<Buffer | undefined> {
    return await this.#readFrom(await this.#segments.directory(segmentOf(address)), slotOf(address));
  }

  async #readFrom(directory: SegmentDirectory, slot: number): Promise<Buffer | undefined> {
    const entry = await entryOf(directory, slot);
    if (entry === undefined || slotKindAt(entry.page, entry.start) !== slotKind.kept) return undefined;
    return await this.#kept.read(directory, entry.page, entry.start);
  }

  async #opened(): Promise<SegmentDirectory[]> {
    const opened: SegmentDirectory[] = [];
    for (const identity of this.#generations) {
      const directory = await unlessUnreadable(this.#segments.directoryApart(identity));
      if (directory !== undefined) opened.push(directory);
    }
    return opened;
  }
}

/** Undefined: there is no such slot. */
async function entryOf(directory: SegmentDirectory, slot: number): Promise<Pick<Slot, "page" | "start"> | undefined> {
  if (slot >= directory.counts.slots) return undefined;
  return { page: await directory.slots(pageOf(slot)), start: (slot % slotsPerPage) * slotEntryBytes };
}
