/**
 * What the host writes: every cell (a sector) says which volume and which cell it was written for, and by which write.
 * So whatever is found anywhere, at any time, can be told to be right, old, misplaced or garbage. Zeros are write 0.
 */
import { blockBytes } from "#src/core/limits.ts";

export const cellBytes = 512;
export const cellsPerBlock = blockBytes / cellBytes;

/** What is no stamp of this cell. */
export const garbage = -1;

const magic = 0x5e70_11a5;
const periodBytes = 16;

/** Fills whole cells of the buffer with the stamps of one write. */
export function putStamps(
  bytes: Buffer,
  start: number,
  volume: number,
  firstCell: number,
  cellCount: number,
  write: number,
): void {
  for (let index = 0; index < cellCount; index++) {
    const at = start + index * cellBytes;
    bytes.writeUInt32LE(magic, at);
    bytes.writeUInt32LE(volume, at + 4);
    bytes.writeUInt32LE(firstCell + index, at + 8);
    bytes.writeUInt32LE(write, at + 12);
    for (let filled = periodBytes; filled < cellBytes; filled *= 2) bytes.copyWithin(at + filled, at, at + filled);
  }
}

/** The write that the cell at `at` says it is of; 0 for zeros, `garbage` for anything else. */
export function stampAt(bytes: Buffer, at: number, volume: number, cell: number): number {
  // Equal to itself one period further on: the whole cell repeats its first bytes.
  if (bytes.compare(bytes, at, at + cellBytes - periodBytes, at + periodBytes, at + cellBytes) !== 0) return garbage;
  const write = bytes.readUInt32LE(at + 12);
  const found = bytes.readUInt32LE(at);
  if (found === 0)
    return write === 0 && bytes.readUInt32LE(at + 4) === 0 && bytes.readUInt32LE(at + 8) === 0 ? 0 : garbage;
  const isOfCell = found === magic && bytes.readUInt32LE(at + 4) === volume && bytes.readUInt32LE(at + 8) === cell;
  return isOfCell ? write : garbage;
}
