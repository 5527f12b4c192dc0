/** Where a block of a data journal is, for life: `segment * 65536 + slot`. 0 is the hole, so segments count from 1. */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";

export const slotsPerSegment = 65_536;
export const segmentMax = divFloor(Number.MAX_SAFE_INTEGER, slotsPerSegment) - 1;
export const holeAddress = 0;

export function addressOf(segment: number, slot: number): number {
  assert(segment >= 1 && segment <= segmentMax, "a segment's number is in range");
  assert(slot >= 0 && slot < slotsPerSegment, "a slot lies within its segment");
  return segment * slotsPerSegment + slot;
}

export function segmentOf(address: number): number {
  return divFloor(address, slotsPerSegment);
}

export function slotOf(address: number): number {
  return address % slotsPerSegment;
}
