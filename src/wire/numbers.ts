/** The bodies of frames that come often: whole numbers of 64 bits, one after the other. */
import { RefuseError } from "#src/core/errors.ts";
import { getLe64, putLe64 } from "#src/core/little-endian.ts";

const numberBytes = 8;

export function encodeNumbers(...values: readonly number[]): Buffer {
  const body = Buffer.allocUnsafe(values.length * numberBytes);
  for (let index = 0; index < values.length; index++) putLe64(body, index * numberBytes, values[index] as number);
  return body;
}

/** All numbers that the range holds. */
export function decodeNumbers(bytes: Buffer, start: number, end: number): number[] {
  const count = Math.floor((end - start) / numberBytes);
  checkLength(start, end, count);
  return Array.from({ length: count }, (_, index) => numberAt(bytes, start, index));
}

/** The one number that the range holds. */
export function decodeNumber(bytes: Buffer, start: number, end: number): number {
  checkLength(start, end, 1);
  return numberAt(bytes, start, 0);
}

/** The two numbers that the range holds. */
export function decodePair(bytes: Buffer, start: number, end: number): readonly [number, number] {
  checkLength(start, end, 2);
  return [numberAt(bytes, start, 0), numberAt(bytes, start, 1)];
}

/** The three numbers that the range holds. */
export function decodeTriple(bytes: Buffer, start: number, end: number): readonly [number, number, number] {
  checkLength(start, end, 3);
  return [numberAt(bytes, start, 0), numberAt(bytes, start, 1), numberAt(bytes, start, 2)];
}

/** The four numbers that the range holds. */
export function decodeQuadruple(bytes: Buffer, start: number, end: number): readonly [number, number, number, number] {
  checkLength(start, end, 4);
  return [numberAt(bytes, start, 0), numberAt(bytes, start, 1), numberAt(bytes, start, 2), numberAt(bytes, start, 3)];
}

function numberAt(bytes: Buffer, start: number, index: number): number {
  const value = getLe64(bytes, start + index * numberBytes);
  if (value > Number.MAX_SAFE_INTEGER) throw new RefuseError("the other side sent a number beyond 2^53");
  return value;
}

function checkLength(start: number, end: number, count: number): void {
  if (end - start !== count * numberBytes) throw new RefuseError("the other side sent a frame of a wrong length");
}
