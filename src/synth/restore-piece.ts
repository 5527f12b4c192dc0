/**
 * A piece of a point on its way to a target, at most `restoreStretchBytesMin`: read and checked, and written without the longer
 * rows of zeros in it. Blocks that cannot be read become zeros, and are told.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { restoreHoleBytesMin, restoreStretchBytesMin } from "#src/core/restore-limits.ts";
import type { PointImage } from "./point-image.ts";
import type { RestoreTarget } from "./restore-target.ts";

export type ReadImage = Pick<PointImage, "sizeBytes" | "blockCount" | "runsIn" | "read">;

export interface ByteSpan {
  readonly position: number;
  readonly lengthBytes: number;
}

const zeroBlock = Buffer.alloc(blockBytes);

/** The buffer's beginning holds the piece then, the last block of a volume with zeros behind its end. Answers which blocks are damaged. */
export async function readPiece(image: ReadImage, { position, lengthBytes }: ByteSpan, buffer: Buffer) {
  assert(lengthBytes <= restoreStretchBytesMin && position % blockBytes === 0, "a piece is of whole blocks");
  const damaged = await image.read(position / blockBytes, Math.ceil(lengthBytes / blockBytes), buffer, 0);
  for (const block of damaged) buffer.fill(0, block * blockBytes, (block + 1) * blockBytes);
  return damaged;
}

/** Answers how many bytes were written. `isClear`: the target reads as zeros there. */
export async function writePiece(
  target: RestoreTarget,
  { position, lengthBytes }: ByteSpan,
  buffer: Buffer,
  isClear: boolean,
): Promise<number> {
  let writtenBytes = 0;
  for (const { start, end, isZero } of spansOf(buffer, lengthBytes)) {
    if (isZero) {
      if (!isClear) await target.clear(position + start, end - start);
      continue;
    }
    await target.write(buffer, start, end - start, position + start);
    writtenBytes += end - start;
  }
  return writtenBytes;
}

interface BufferSpan {
  readonly start: number;
  readonly end: number;
  readonly isZero: boolean;
}

/** Rows of zeros, and what lies between them with the shorter rows. */
function spansOf(buffer: Buffer, lengthBytes: number): BufferSpan[] {
  const spans: BufferSpan[] = [];
  const add = (start: number, end: number, isZero: boolean): void => {
    const last = spans.at(-1);
    if (end <= start) return;
    if (last?.isZero === isZero) spans[spans.length - 1] = { ...last, end };
    else spans.push({ start, end, isZero });
  };
  let at = 0;
  while (at < lengthBytes) {
    const zerosEnd = endOfZeros(buffer, at, lengthBytes);
    const isRow = zerosEnd - at >= restoreHoleBytesMin || (at === 0 && zerosEnd === lengthBytes);
    const next = zerosEnd === at ? Math.min(at + blockBytes, lengthBytes) : zerosEnd;
    add(at, next, isRow);
    at = next;
  }
  return spans;
}

/** From a block's beginning on. */
function endOfZeros(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isZero(buffer, at, Math.min(at + blockBytes, end))) at += blockBytes;
  return Math.min(at, end);
}

function isZero(buffer: Buffer, start: number, end: number): boolean {
  if (buffer[start] !== 0 || buffer[end - 1] !== 0) return false;
  return buffer.compare(zeroBlock, 0, end - start, start, end) === 0;
}

/** The blocks, counted from the beginning, in which two buffers differ. */
export function differingBlocks(wanted: Buffer, found: Buffer, lengthBytes: number): number[] {
  if (wanted.compare(found, 0, lengthBytes, 0, lengthBytes) === 0) return [];
  const blocks: number[] = [];
  for (let start = 0; start < lengthBytes; start += blockBytes) {
    const end = Math.min(start + blockBytes, lengthBytes);
    if (wanted.compare(found, start, end, start, end) !== 0) blocks.push(start / blockBytes);
  }
  return blocks;
}
