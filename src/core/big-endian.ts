/**
 * Numbers in network byte order. Plain byte arithmetic: it is as fast as a DataView where the buffer changes from call
 * to call, and it needs no object per buffer. The caller has checked the bounds.
 */

const two32 = 2 ** 32;

export function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function get32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/**
 * Above 2^53 the result is rounded, which never turns a number that is too large into one that is not: callers compare
 * with bounds of at most 2^53 - 1.
 */
export function get64(bytes: Uint8Array, at: number): number {
  return get32(bytes, at) * two32 + get32(bytes, at + 4);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function put64(bytes: Uint8Array, at: number, value: number): void {
  put32(bytes, at, Math.floor(value / two32));
  put32(bytes, at + 4, value % two32);
}
