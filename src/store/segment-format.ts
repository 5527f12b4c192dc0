/** The sealed segment (docs/formats.md): its name, its parts, and what its footer and its table say. */

import { getLe32, putLe32 } from "#src/core/little-endian.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { segmentMax, slotsPerSegment } from "#src/records/address.ts";

export const pagesPerSegmentMax = slotsPerSegment / slotsPerPage;

const folder = "segments/";
const segmentDigits = 12;
const generationDigits = 4;
export const generationMax = 10 ** generationDigits - 1;

export interface SegmentIdentity {
  readonly segment: number;
  readonly generation: number;
}

export function segmentObjectName({ segment, generation }: SegmentIdentity): string {
  return `${segmentNamePrefix(segment)}${String(generation).padStart(generationDigits, "0")}`;
}

/** All generations of a segment begin so. */
export function segmentNamePrefix(segment: number): string {
  return `${folder}${String(segment).padStart(segmentDigits, "0")}.`;
}

/** Undefined: no segment is named so. */
export function segmentOfObject(name: string): SegmentIdentity | undefined {
  const match = /^segments\/(\d{12,16})\.(\d{4})$/.exec(name);
  if (match === null) return undefined;
  const identity = { segment: Number(match[1]), generation: Number(match[2]) };
  const isOne = identity.segment >= 1 && identity.segment <= segmentMax && segmentObjectName(identity) === name;
  return isOne ? identity : undefined;
}

/** How many slots of each kind a segment has; `frames` holds the kept ones. */
export interface SegmentCounts {
  readonly slots: number;
  readonly kept: number;
  readonly forwards: number;
  readonly zeros: number;
  readonly damaged: number;
  readonly frames: number;
}

export const segmentNumbersBytes = 64;
const countNames = ["slots", "kept", "forwards", "zeros", "damaged", "frames"] as const;

export function encodeSegmentCounts(counts: SegmentCounts): Buffer {
  const bytes = Buffer.alloc(segmentNumbersBytes);
  for (const [index, name] of countNames.entries()) putLe32(bytes, index * 4, counts[name]);
  return bytes;
}

/** Undefined: no segment has such numbers. */
export function decodeSegmentCounts(bytes: Buffer, start: number): SegmentCounts | undefined {
  const numbers = countNames.map((_, index) => getLe32(bytes, start + index * 4));
  const [slots = 0, kept = 0, forwards = 0, zeros = 0, damaged = 0, frames = 0] = numbers;
  const isRestZero = bytes
    .subarray(start + countNames.length * 4, start + segmentNumbersBytes)
    .every((byte) => byte === 0);
  const isFitting = slots <= slotsPerSegment && kept + forwards + zeros + damaged <= slots && frames <= kept;
  return isRestZero && isFitting ? { slots, kept, forwards, zeros, damaged, frames } : undefined;
}

export function pageCountOf(slotCount: number): number {
  return Math.ceil(slotCount / slotsPerPage);
}

/** Where a part lies in its object, with its header. */
export interface StoredRange {
  readonly offset: number;
  readonly storedBytes: number;
}

export const nowhere: StoredRange = { offset: 0, storedBytes: 0 };

/** Of each page the part slots, then the part fingerprints. */
export interface PagePlaces {
  readonly slots: StoredRange;
  readonly fingerprints: StoredRange;
}

const rangeBytes = 8;
export const tableEntryBytes = 2 * rangeBytes;

export function encodeTable(pages: readonly PagePlaces[]): Buffer {
  const bytes = Buffer.alloc(pages.length * tableEntryBytes);
  for (const [index, { slots, fingerprints }] of pages.entries()) {
    putRange(bytes, index * tableEntryBytes, slots);
    putRange(bytes, index * tableEntryBytes + rangeBytes, fingerprints);
  }
  return bytes;
}

export function decodeTable(bytes: Buffer, pageCount: number): PagePlaces[] | undefined {
  if (bytes.length !== pageCount * tableEntryBytes) return undefined;
  return Array.from({ length: pageCount }, (_, index) => ({
    slots: getRange(bytes, index * tableEntryBytes),
    fingerprints: getRange(bytes, index * tableEntryBytes + rangeBytes),
  }));
}

export function putRange(bytes: Uint8Array, at: number, { offset, storedBytes }: StoredRange): void {
  putLe32(bytes, at, offset);
  putLe32(bytes, at + 4, storedBytes);
}

export function getRange(bytes: Uint8Array, at: number): StoredRange {
  return { offset: getLe32(bytes, at), storedBytes: getLe32(bytes, at + 4) };
}
