/**
 * Repairs what of a sealed segment cannot be read from second copies: another kept block of the same fingerprint, or what the
 * journals and the sites before still have of the very address. The segment gets its next generation.
 *
 * Invariants:
 *   nothing is written where no second copy was found, and what is taken for one was checked against the slot;
 *   nor where the disk does not give a block that has none: it may be sound, and what is written takes the place of all.
 */

import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import type { BlockReader } from "./block-reader.ts";
import type { LostBlocks } from "./lost-blocks.ts";
import { unlessUnreadable } from "./object-presence.ts";
import type { Flaw } from "./scrub-flaws.ts";
import type { SegmentCheckMemory } from "./scrub-segment.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SecondCopies } from "./second-copies.ts";
import { generationMax, type SegmentIdentity } from "./segment-format.ts";
import { type RewrittenSegment, rewriteSegment, type SegmentRewriteParts } from "./segment-rewrite.ts";
import { SlotCursor } from "./slot-cursor.ts";
import { slotChecksumAt, slotEntryBytes, slotKind, slotKindAt, slotVolumeAt } from "./slot-page.ts";
import { mergedRanges, rangesHave, type SlotRange } from "./slot-ranges.ts";
import type { VerifiedIndex } from "./verified-index.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentRepairParts extends SegmentRewriteParts {
  readonly segments: SealedSegments;
  readonly reader: BlockReader;
  /** Knows of damage. */
  readonly known: VerifiedIndex;
  readonly copies: SecondCopies;
  readonly lost: LostBlocks;
  /** As the check of the segment has left it. */
  readonly memory: SegmentCheckMemory;
}

/** What makes a segment's directory unknown: nobody can say what would have to be written. */
const withoutDirectory = new Set(["object", "header", "footer", "table", "slots", "fingerprints"]);
const repairable = new Set(["frames", "blocks", "sealed", "forwards"]);

export class SegmentRepair {
  readonly #parts: SegmentRepairParts;
  readonly #identity: SegmentIdentity;
  readonly #block = Buffer.alloc(blockBytes);
  readonly #fingerprint = Buffer.alloc(fingerprintBytes);
  readonly #addresses = new Float64Array(1);
  readonly #checksum = Buffer.alloc(checksumBytes);
  /** That cannot be read. */
  #lost: readonly SlotRange[] = [];

  constructor(parts: SegmentRepairParts, identity: SegmentIdentity) {
    this.#parts = parts;
    this.#identity = identity;
  }

  /** Undefined: there is no second copy of anything, or nothing can be written for now. */
  async repair(flaws: readonly Flaw[], control: WorkControl): Promise<RewrittenSegment | undefined> {
    if (flaws.some(({ thing }) => withoutDirectory.has(thing))) return undefined;
    const slots = flaws.filter(({ thing }) => repairable.has(thing)).flatMap((flaw) => flaw.slots);
    this.#lost = mergedRanges(slots);
    if (!(await this.#hasCopyOfAny(control))) return undefined;
    const { generation } = this.#identity;
    if (generation >= generationMax) return undefined;
    const replacement = (slot: number) => this.#copyOf(slot);
    const change = { isDropped: () => false, replacement, ifUnreadable: "markDamaged" } as const;
    try {
      return await rewriteSegment(this.#parts, this.#identity, generation + 1, change, control);
    } catch (error) {
      // No room, not all given, or there since a run whose end nobody heard of: the next round sees.
      if (error instanceof RetryError || error instanceof RefuseError || error instanceof StopError) return undefined;
      throw error;
    }
  }

  async #hasCopyOfAny(control: WorkControl): Promise<boolean> {
    for (const { slot: first, count } of this.#lost) {
      for (let slot = first; slot < first + count; slot++) {
        if ((await this.#copyOf(slot)) !== undefined) return true;
        await control.pace(blockBytes);
      }
    }
    return false;
  }

  /** Undefined: there is none. Valid until the next one is looked for. */
  async #copyOf(slot: number): Promise<Buffer | undefined> {
    if (!rangesHave(this.#lost, slot)) return undefined;
    const { entries } = this.#parts.memory;
    const start = slot * slotEntryBytes;
    const kind = slotKindAt(entries, start);
    if (kind === slotKind.none || kind === slotKind.zeros) return undefined;
    entries.copy(this.#checksum, 0, slotChecksumAt(start), slotChecksumAt(start) + checksumBytes);
    const address = addressOf(this.#identity.segment, slot);
    if (this.#isFingerprintKnown(slot, kind, address) && (await this.#readTwin(address))) return this.#block;
    const lost = { address, volume: slotVolumeAt(entries, start), checksum: this.#checksum };
    const isThere = (await this.#parts.copies.read(lost, this.#block)) && this.#fits();
    return isThere ? this.#block : undefined;
  }

  #isFingerprintKnown(slot: number, kind: number, address: number): boolean {
    const { memory, lost } = this.#parts;
    if (kind === slotKind.kept && memory.hasFingerprints[Math.floor(slot / slotsPerPage)] === 1) {
      memory.fingerprints.copy(this.#fingerprint, 0, slot * fingerprintBytes, (slot + 1) * fingerprintBytes);
      return true;
    }
    return lost.fingerprintOf(address)?.copy(this.#fingerprint) === fingerprintBytes;
  }

  /** Another kept block with the same content. */
  async #readTwin(address: number): Promise<boolean> {
    const { known, segments, reader } = this.#parts;
    await known.find(this.#fingerprint, 1, this.#addresses);
    const twin = this.#addresses[0] as number;
    if (twin === holeAddress || twin === address) return false;
    const volume = await volumeAt(segments, twin);
    if (volume === undefined) return false;
    const run = { address: twin, blockCount: 1, volume };
    return (await reader.read(run, this.#block, 0)).length === 0 && this.#fits();
  }

  #fits(): boolean {
    return hasChecksum(this.#block, 0, blockBytes, this.#checksum, 0);
  }
}

/** Undefined: nothing is there that can be read. */
async function volumeAt(segments: SealedSegments, address: number): Promise<number | undefined> {
  const slot = await unlessUnreadable(new SlotCursor(segments).find(address));
  return slot === undefined ? undefined : slotVolumeAt(slot.page, slot.start);
}
