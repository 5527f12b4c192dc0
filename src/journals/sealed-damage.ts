/**
 * Blocks that were damaged in their journal when their segment was sealed: which records wrote them, as the open journal
 * says. What a crash left half written no record speaks of, so there is none of it here.
 */
import { slotsPerPage } from "#src/core/store-limits.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import type { SegmentDirectory } from "#src/store/segment-directory.ts";
import { slotEntryBytes, slotKind, slotKindAt } from "#src/store/slot-page.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type MetadataRecord, metadataEntryBytes } from "./metadata-entry.ts";
import type { UnitWalk } from "./piece-sealer.ts";
import { type LostWrite, LostWrites } from "./recalled-copies.ts";

/** Others get their turn after so many. */
const recordsPerTurn = 4096;

/** Slots that are marked as damaged. */
export async function damagedSlotsOf(directory: SegmentDirectory): Promise<ReadonlySet<number>> {
  const damaged = new Set<number>();
  for (let page = 0; page < directory.pageCount; page++) {
    const entries = await directory.slots(page);
    for (let start = 0; start < entries.length; start += slotEntryBytes) {
      if (slotKindAt(entries, start) !== slotKind.damaged) continue;
      damaged.add(page * slotsPerPage + start / slotEntryBytes);
    }
  }
  return damaged;
}

/** The newest of them. Closes the walk. */
export async function writesOfDamage(
  {
    group,
    segment,
    damaged,
  }: { readonly group: string; readonly segment: number; readonly damaged: ReadonlySet<number> },
  walk: UnitWalk,
  control: WorkControl,
): Promise<LostWrite[]> {
  const writes = new LostWrites();
  let recordCount = 0;
  try {
    for (let unit = walk.next(); unit.finding === "sound"; unit = walk.next()) {
      for (const record of unit.records) {
        for (const block of lostBlocksOf(record, segment, damaged)) {
          writes.add({ group, seq: record.seq, volume: record.volume, block });
        }
      }
      recordCount += unit.records.length;
      if (recordCount < recordsPerTurn) continue;
      await control.pace(recordCount * metadataEntryBytes);
      recordCount = 0;
    }
  } finally {
    walk.close();
  }
  return writes.list;
}

function lostBlocksOf(record: MetadataRecord, segment: number, damaged: ReadonlySet<number>): readonly number[] {
  return slotsOf(record, segment)
    .filter(({ slot }) => damaged.has(slot))
    .map(({ block }) => block);
}

/** Where the record's blocks are in the segment. */
export function slotsOf(
  { type, startBlock, blockCount, address }: MetadataRecord,
  segment: number,
): readonly { readonly slot: number; readonly block: number }[] {
  // What has a payload lies within one segment.
  if (!hasPayload(type) || segmentOf(address) !== segment) return none;
  return Array.from({ length: blockCount }, (_, index) => ({
    slot: slotOf(address) + index,
    block: startBlock + index,
  }));
}

const none: readonly never[] = [];
