/** Blocks of kept slots, one at a time, for who has to know whether a block that he misses is lost or was not given. */
import { blockBytes } from "#src/core/limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import { ObjectDamageError } from "./object-damage.ts";
import { partType } from "./part.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { frameAt, frameSlotAt, placeInFrameAt, slotChecksumAt } from "./slot-page.ts";

export class KeptBlock {
  #directory: SegmentDirectory | undefined;
  #offset = -1;
  /** Undefined: it is not what was written. */
  #frame: Buffer | undefined;

  /**
   * Of a slot that is kept; undefined: the disk gives something that is not what was written there. Rejects with a
   * `StopError` where the disk gives nothing, which another time it may.
   */
  async read(directory: SegmentDirectory, page: Buffer, start: number): Promise<Buffer | undefined> {
    const { offset, storedBytes } = frameAt(page, start);
    if (directory !== this.#directory || offset !== this.#offset) {
      this.#directory = undefined;
      const place = { type: partType.frame, number: frameSlotAt(page, start), offset, storedBytes };
      this.#frame = await unlessDamaged(directory.object.readPart(place));
      this.#directory = directory;
      this.#offset = offset;
    }
    const at = placeInFrameAt(page, start) * blockBytes;
    if (this.#frame === undefined || at + blockBytes > this.#frame.length) return undefined;
    const isSound = hasChecksum(this.#frame, at, at + blockBytes, page, slotChecksumAt(start));
    return isSound ? this.#frame.subarray(at, at + blockBytes) : undefined;
  }
}

/** Undefined: what lies there is not what was written. Rejects where it is not known what lies there. */
export async function unlessDamaged<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ObjectDamageError) return undefined;
    throw error;
  }
}
