/**
 * Arithmetic on byte ranges: a position and a length, both whole numbers of at most 2^53 - 1. Sums may leave that
 * range where a peer chose the numbers, so nothing here adds before it has compared.
 */
import { assert } from "./assert.ts";

/** By way of the rest, since a quotient of large numbers may be rounded across the whole number it lies beside. */
export function divFloor(value: number, divisor: number): number {
  return (value - (value % divisor)) / divisor;
}

export function divCeil(value: number, divisor: number): number {
  const rest = value % divisor;
  return (value - rest) / divisor + (rest === 0 ? 0 : 1);
}

export function isAligned(value: number, unitBytes: number): boolean {
  return value % unitBytes === 0;
}

export function alignDown(value: number, unitBytes: number): number {
  return value - (value % unitBytes);
}

export function alignUp(value: number, unitBytes: number): number {
  const rest = value % unitBytes;
  return rest === 0 ? value : value - rest + unitBytes;
}

/** Whether the range lies within the first `sizeBytes` bytes. Exact for any two numbers that came as 64 bits from a peer. */
export function fitsInto(sizeBytes: number, position: number, lengthBytes: number): boolean {
  return position <= sizeBytes && lengthBytes <= sizeBytes - position;
}

/** Empty ranges overlap nothing. The sums must be exact: both ranges have been checked with `fitsInto`. */
export function rangesOverlap(
  positionA: number,
  lengthBytesA: number,
  positionB: number,
  lengthBytesB: number,
): boolean {
  if (lengthBytesA === 0 || lengthBytesB === 0) return false;
  return positionA < positionB + lengthBytesB && positionB < positionA + lengthBytesA;
}

/** A range cut where whole units begin and end. A range that holds no whole unit is all head. */
export interface UnitSplit {
  readonly headBytes: number;
  readonly wholeBytes: number;
  readonly tailBytes: number;
}

export function splitAtUnits(position: number, lengthBytes: number, unitBytes: number): UnitSplit {
  assert(position + lengthBytes <= Number.MAX_SAFE_INTEGER, "a range that is split has been checked");
  const headBytes = Math.min(alignUp(position, unitBytes) - position, lengthBytes);
  const wholeBytes = alignDown(lengthBytes - headBytes, unitBytes);
  if (wholeBytes === 0) return { headBytes: lengthBytes, wholeBytes: 0, tailBytes: 0 };
  return { headBytes, wholeBytes, tailBytes: lengthBytes - headBytes - wholeBytes };
}
