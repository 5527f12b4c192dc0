/** What a sealed segment says of each of its slots: 24 bytes, in pages (docs/formats.md). Bounds are the caller's. */

import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { frameBlockCountMax } from "#src/core/store-limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { getRange, putRange, type StoredRange } from "./segment-format.ts";

export const slotEntryBytes = 24;

export const slotKind = {
  /** Nothing ever counted of it, or collection has dropped it. */
  none: 0,
  zeros: 1,
  kept: 2,
  forward: 3,
  /** It was not what had been written there when the segment was sealed, or, of a later generation, it was lost since. */
  damaged: 4,
} as const;

const at = { checksum: 0, volume: checksumBytes, kind: 12, placeInFrame: 13, frameSlot: 14, target: 16 };

/** The block's checksum lies at `checksumAt` in `source`. */
export function putSlot(
  page: Uint8Array,
  start: number,
  kind: number,
  volume: number,
  source: Uint8Array,
  checksumAt: number,
): void {
  for (let index = 0; index < checksumBytes; index++) {
    page[start + at.checksum + index] = source[checksumAt + index] as number;
  }
  putLe32(page, start + at.volume, volume);
  page[start + at.kind] = kind;
  page[start + at.placeInFrame] = 0;
  putLe16(page, start + at.frameSlot, 0);
  putLe64(page, start + at.target, 0);
}

export function putForward(page: Uint8Array, start: number, address: number): void {
  putLe64(page, start + at.target, address);
}

/** `frameSlot`: of the frame's first block. */
export function putFrame(
  page: Uint8Array,
  start: number,
  frame: StoredRange,
  frameSlot: number,
  placeInFrame: number,
): void {
  page[start + at.placeInFrame] = placeInFrame;
  putLe16(page, start + at.frameSlot, frameSlot);
  putRange(page, start + at.target, frame);
}

export function slotKindAt(page: Uint8Array, start: number): number {
  return page[start + at.kind] as number;
}

export function slotVolumeAt(page: Uint8Array, start: number): number {
  return getLe32(page, start + at.volume);
}

/** Not so of a block whose checksum was lost before it was sealed: as good as no block has one of zeros alone. */
export function hasSlotChecksum(page: Buffer, start: number): boolean {
  const from = slotChecksumAt(start);
  return page.subarray(from, from + checksumBytes).some((byte) => byte !== 0);
}

/** Where the block's checksum lies in the page. */
export function slotChecksumAt(start: number): number {
  return start + at.checksum;
}

export function forwardAt(page: Uint8Array, start: number): number {
  return getLe64(page, start + at.target);
}

/** Where the frame of a kept block lies. */
export function frameAt(page: Uint8Array, start: number): StoredRange {
  return getRange(page, start + at.target);
}

export function frameSlotAt(page: Uint8Array, start: number): number {
  return getLe16(page, start + at.frameSlot);
}

export function placeInFrameAt(page: Uint8Array, start: number): number {
  return page[start + at.placeInFrame] as number;
}

/** Whether every entry is one that this version writes. */
export function isSoundPage(page: Uint8Array, byteLength: number): boolean {
  for (let start = 0; start < byteLength; start += slotEntryBytes) {
    if (!isSoundSlot(page, start)) return false;
  }
  return byteLength % slotEntryBytes === 0;
}

function isSoundSlot(page: Uint8Array, start: number): boolean {
  const kind = slotKindAt(page, start);
  const place = placeInFrameAt(page, start);
  const target = getLe64(page, start + at.target);
  if (kind === slotKind.kept) return place < frameBlockCountMax && frameAt(page, start).storedBytes > 0;
  if (place !== 0 || frameSlotAt(page, start) !== 0) return false;
  if (kind === slotKind.forward) return target >= slotsPerSegment && target <= Number.MAX_SAFE_INTEGER;
  return target === 0 && (kind === slotKind.none || kind === slotKind.zeros || kind === slotKind.damaged);
}
