/** One bit that was turned, as disks and memory do it now and then, is found by the checksum that fits again without it. */

/** Turns one back among the first `byteCount` bytes, so that they are sound. False: no single one helps, and they are as before. */
export function turnBitBack(bytes: Buffer, byteCount: number, isSound: (bytes: Buffer) => boolean): boolean {
  for (let bit = 0; bit < byteCount * 8; bit++) {
    turn(bytes, bit);
    if (isSound(bytes)) return true;
    turn(bytes, bit);
  }
  return false;
}

function turn(bytes: Buffer, bit: number): void {
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
}
