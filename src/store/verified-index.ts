/**
 * What the store has already, for whoever seals: the index says where a block may be, the directory of that place whether
 * it is that block, what is known of damage whether it can be read, and collection whether it will stay. So an index that
 * is old, damaged or of another store never makes wrong bytes.
 */
import { StopError } from "#src/core/errors.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { holeAddress, slotOf } from "#src/records/address.ts";
import type { DamagedBlocks } from "./damaged-blocks.ts";
import type { DyingBlocks } from "./dying-blocks.ts";
import { AbsentObjectError } from "./objects.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import { keptBefore } from "./segment-directory.ts";
import type { KnownBlocks } from "./segment-seal.ts";
import { pageOf, SlotCursor } from "./slot-cursor.ts";
import { slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

/** Where blocks of these fingerprints may be; the hole where it knows of none. */
export interface FingerprintLookup {
  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void;
}

export class VerifiedIndex implements KnownBlocks {
  readonly #index: FingerprintLookup;
  readonly #segments: SealedSegments;
  readonly #damaged: DamagedBlocks;
  readonly #dying: DyingBlocks;
  #refutedCount = 0;

  constructor(index: FingerprintLookup, segments: SealedSegments, damaged: DamagedBlocks, dying: DyingBlocks) {
    this.#index = index;
    this.#segments = segments;
    this.#damaged = damaged;
    this.#dying = dying;
  }

  /** Answers of the index that were not so. */
  get refutedCount(): number {
    return this.#refutedCount;
  }

  async find(fingerprints: Buffer, count: number, addresses: Float64Array): Promise<void> {
    this.#index.lookup(fingerprints, count, addresses);
    const cursor = new SlotCursor(this.#segments);
    for (let index = 0; index < count; index++) {
      const address = addresses[index] as number;
      if (address === holeAddress) continue;
      const isFit = !this.#damaged.has(address) && !this.#dying.has(address);
      if (isFit && (await isThere(cursor, address, fingerprints, index * fingerprintBytes))) continue;
      this.#refutedCount++;
      addresses[index] = holeAddress;
    }
  }
}

async function isThere(cursor: SlotCursor, address: number, fingerprints: Buffer, at: number): Promise<boolean> {
  try {
    const slot = cursor.near(address) ?? (await cursor.find(address));
    if (slot === undefined || slotKindAt(slot.page, slot.start) !== slotKind.kept) return false;
    const kept = await slot.directory.fingerprints(pageOf(slotOf(address)));
    const start = keptBefore(slot.page, slot.start / slotEntryBytes) * fingerprintBytes;
    return kept.compare(fingerprints, at, at + fingerprintBytes, start, start + fingerprintBytes) === 0;
  } catch (error) {
    // What is damaged there, or was just removed, is not what anything new should point to.
    if (error instanceof StopError || error instanceof AbsentObjectError) return false;
    throw error;
  }
}
