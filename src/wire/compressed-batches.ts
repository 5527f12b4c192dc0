/**
 * The body of a frame of compressed batches: how many bytes they are (4), and then these, as zstd. What a peer says of
 * their number is checked before any memory is given for them.
 */
import { RefuseError } from "#src/core/errors.ts";
import { wireBulkBytesMax } from "#src/core/limits.ts";
import { getLe32, putLe32 } from "#src/core/little-endian.ts";
import { compressed, decompressed } from "#src/host/compression.ts";

const lengthBytes = 4;

export function encodeCompressedBatches(pieces: readonly Buffer[]): Buffer {
  const plain = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  const length = Buffer.alloc(lengthBytes);
  putLe32(length, 0, plain.length);
  return Buffer.concat([length, compressed(plain)]);
}

/** How many bytes of batches the body in the range claims to be. */
export function compressedBatchesLength(bytes: Buffer, start: number, end: number): number {
  const length = end - start > lengthBytes ? getLe32(bytes, start) : 0;
  if (length > 0 && length <= wireBulkBytesMax) return length;
  throw new RefuseError(
    `the other side sent compressed batches of ${length} bytes, where 1 to ${wireBulkBytesMax} are allowed`,
  );
}

export function decodeCompressedBatches(bytes: Buffer, start: number, end: number): Buffer {
  const length = compressedBatchesLength(bytes, start, end);
  const plain = decompressed(bytes.subarray(start + lengthBytes, end), length);
  if (plain !== undefined) return plain;
  throw new RefuseError(
    `the other side sent compressed batches that are not the ${length} bytes that they claim to be`,
  );
}
