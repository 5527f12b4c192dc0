/** The room of a store on its disk: what is held back of it, and what is left. */

import type { Machine } from "#src/host/machine.ts";
import { freeDiskBytes } from "#src/host/node/disk-room.ts";
import { EarnedReserve } from "#src/store/earned-reserve.ts";
import { FolderReserve } from "#src/store/folder-reserve.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import { marksDiskBytes } from "#src/store/slot-marks.ts";
import type { StoreTotals } from "#src/store/store-totals.ts";
import type { StoreSettings } from "./store-words.ts";

export interface StoreRoom {
  readonly logicalBytes: number;
  readonly physicalBytes: number;
  readonly freeBytes: number;
}

/** Room for collection on the disk of the objects: for what it writes, and for marks that memory has no room for. */
export function reserveOf(
  { files, randomness, log }: Machine,
  { config, folder }: StoreSettings,
  totals: Pick<StoreTotals, "sizes">,
  segments: Pick<SealedSegments, "count">,
): EarnedReserve {
  const { reserve } = config.store.collect;
  const byteLength = () => (reserve === 0 ? 0 : reserve + marksDiskBytes(segments.count));
  const storeBytes = () => totals.sizes?.physicalBytes ?? 0;
  return new EarnedReserve(new FolderReserve({ files, randomness, log, folder, byteLength }), byteLength, storeBytes);
}

/** Undefined: nobody has counted yet, or the disk does not say. */
export function roomOf(folder: string, { sizes }: Pick<StoreTotals, "sizes">): StoreRoom | undefined {
  if (sizes === undefined) return undefined;
  try {
    const { logicalBytes, physicalBytes } = sizes;
    return { logicalBytes, physicalBytes, freeBytes: freeDiskBytes(folder) };
  } catch {
    return undefined;
  }
}
