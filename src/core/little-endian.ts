/**
 * Numbers in the byte order of everything that Tidemark itself writes. Plain byte arithmetic, as in `big-endian.ts`.
 * The caller has checked the bounds.
 */

const two32 = 2 ** 32;

export function getLe16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function getLe32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Above 2^53 the result is rounded, which never turns a number that is too large into one that is not. */
export function getLe64(bytes: Uint8Array, at: number): number {
  return getLe32(bytes, at) + getLe32(bytes, at + 4) * two32;
}

export function putLe16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function putLe32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function putLe64(bytes: Uint8Array, at: number, value: number): void {
  putLe32(bytes, at, value % two32);
  putLe32(bytes, at + 4, Math.floor(value / two32));
}
