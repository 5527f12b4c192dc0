/** What is found by going through a segment's whole directory. */

import { slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, segmentOf } from "#src/records/address.ts";
import type { DyingBlocks } from "./dying-blocks.ts";
import { unlessUnreadable } from "./object-presence.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { KeptFingerprints } from "./segment-fingerprints.ts";
import { SlotCursor } from "./slot-cursor.ts";
import { forwardAt, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";

/** What the index is to know of a page: without the blocks that are going to be removed. */
export async function keptOfPage(
  directory: SegmentDirectory,
  page: number,
  dying: Pick<DyingBlocks, "has">,
): Promise<KeptFingerprints> {
  const slots = await directory.slots(page);
  const fingerprints = Buffer.from(await directory.fingerprints(page));
  const addresses = new Float64Array(fingerprints.length / fingerprintBytes);
  let count = 0;
  for (let start = 0, kept = 0; start < slots.length; start += slotEntryBytes) {
    if (slotKindAt(slots, start) !== slotKind.kept) continue;
    const from = kept++ * fingerprintBytes;
    const address = addressOf(directory.identity.segment, page * slotsPerPage + start / slotEntryBytes);
    if (dying.has(address)) continue;
    fingerprints.copyWithin(count * fingerprintBytes, from, from + fingerprintBytes);
    addresses[count++] = address;
  }
  return { count, fingerprints, addresses };
}

/** Whether each forward to another segment that is needed leads to a block that is kept there, and will be; as far as can be read. */
export async function areForwardsAnswered(
  directory: SegmentDirectory,
  segments: SealedSegments,
  dying: Pick<DyingBlocks, "has">,
  isNeeded: (slot: number) => boolean,
): Promise<boolean> {
  const cursor = new SlotCursor(segments);
  for (let page = 0; page < directory.pageCount; page++) {
    const slots = await unlessUnreadable(directory.slots(page));
    if (slots === undefined) return false;
    for (let start = 0; start < slots.length; start += slotEntryBytes) {
      const isForward = slotKindAt(slots, start) === slotKind.forward;
      if (!isForward || !isNeeded(page * slotsPerPage + start / slotEntryBytes)) continue;
      const target = forwardAt(slots, start);
      if (segmentOf(target) === directory.identity.segment) continue;
      if (dying.has(target) || !(await isKept(cursor, target))) return false;
    }
  }
  return true;
}

/** Which slots keep a block; of pages that cannot be read all of them may. */
export async function keptSlotsOf(directory: SegmentDirectory): Promise<(slot: number) => boolean> {
  const kept = new Uint8Array(directory.counts.slots);
  for (let page = 0; page < directory.pageCount; page++) {
    const firstSlot = page * slotsPerPage;
    const slots = await unlessUnreadable(directory.slots(page));
    if (slots === undefined) {
      kept.fill(1, firstSlot, firstSlot + slotsPerPage);
      continue;
    }
    for (let start = 0; start < slots.length; start += slotEntryBytes) {
      if (slotKindAt(slots, start) === slotKind.kept) kept[firstSlot + start / slotEntryBytes] = 1;
    }
  }
  return (slot) => kept[slot] === 1;
}

/** As far as can be read. */
export async function isKept(cursor: SlotCursor, address: number): Promise<boolean> {
  const slot = cursor.near(address) ?? (await unlessUnreadable(cursor.find(address)));
  return slot !== undefined && slotKindAt(slot.page, slot.start) === slotKind.kept;
}
