/** Whether a sealed segment that is there is the one to be sealed: by what is known of its slots, not by its number alone. */

import { sealRunBlocks, slotsPerPage } from "#src/core/store-limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { unlessUnreadable } from "./object-presence.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { ClosedSegment } from "./segment-seal.ts";
import { slotChecksumAt, slotEntryBytes, slotKind, slotKindAt, slotVolumeAt } from "./slot-page.ts";
import { blockState, SlotRun } from "./slot-run.ts";

/**
 * The first slot of which the sealed one has another block than the source, as far as both can be read. Undefined: there is none.
 */
export async function slotOfAnother(directory: SegmentDirectory, source: ClosedSegment): Promise<number | undefined> {
  const run = new SlotRun();
  for (let page = 0; page < directory.pageCount; page++) {
    const slots = await unlessUnreadable(directory.slots(page));
    if (slots === undefined) continue;
    const pageSlot = page * slotsPerPage;
    const end = Math.min(source.slotCount, pageSlot + slots.length / slotEntryBytes);
    for (let from = pageSlot; from < end; from += sealRunBlocks) {
      const count = Math.min(sealRunBlocks, end - from);
      source.read(from, count, run);
      for (let index = 0; index < count; index++) {
        const start = (from - pageSlot + index) * slotEntryBytes;
        if (isOther(run, index, slots, start, directory.identity.generation)) return from + index;
      }
    }
  }
  return undefined;
}

/** Only a block that is sound has a checksum that says what it is, and a later generation may have dropped it. */
function isOther(run: SlotRun, index: number, slots: Buffer, start: number, generation: number): boolean {
  if (run.states[index] !== blockState.sound) return false;
  const kind = slotKindAt(slots, start);
  if (kind === slotKind.none) return generation === 0;
  if (kind === slotKind.damaged) return false;
  const [own, sealed] = [index * checksumBytes, slotChecksumAt(start)];
  const isSameSum = run.checksums.compare(slots, sealed, sealed + checksumBytes, own, own + checksumBytes) === 0;
  return !isSameSum || slotVolumeAt(slots, start) !== run.volumes[index];
}
