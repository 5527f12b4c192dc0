/**
 * The outline of a frame of zstd (RFC 8878): enough to know before it is decompressed that it is one frame, that it is all
 * there with nothing behind it, and how much will come of it.
 */
import { getLe16, getLe32, getLe64 } from "#src/core/little-endian.ts";

const magic = 0xfd2fb528;
const magicBytes = 4;
/** A dictionary, a checksum, and bits without a meaning: nobody has written any of them here. */
const unwantedFlags = 0x1f;
const singleSegmentFlag = 0x20;
const blockHeaderBytes = 3;
const blockType = { raw: 0, repeated: 1, compressed: 2 } as const;

/** Whether there is such a frame from `start` to `end` that says that `byteLength` bytes come of it. */
export function isWholeFrame(bytes: Buffer, start: number, end: number, byteLength: number): boolean {
  if (end - start < magicBytes + 1 || getLe32(bytes, start) !== magic) return false;
  const descriptor = bytes[start + magicBytes] as number;
  const isSingleSegment = (descriptor & singleSegmentFlag) !== 0;
  const sizeBytes = contentSizeBytes(descriptor >>> 6, isSingleSegment);
  const sizeAt = start + magicBytes + 1 + (isSingleSegment ? 0 : 1);
  if ((descriptor & unwantedFlags) !== 0 || sizeBytes === 0 || sizeAt + sizeBytes > end) return false;
  return contentSize(bytes, sizeAt, sizeBytes) === byteLength && blocksEnd(bytes, sizeAt + sizeBytes, end) === end;
}

function contentSizeBytes(flag: number, isSingleSegment: boolean): number {
  if (flag === 0) return isSingleSegment ? 1 : 0;
  return 2 ** flag;
}

function contentSize(bytes: Buffer, at: number, sizeBytes: number): number {
  switch (sizeBytes) {
    case 1:
      return bytes[at] as number;
    case 2:
      return getLe16(bytes, at) + 256;
    case 4:
      return getLe32(bytes, at);
    default:
      return getLe64(bytes, at);
  }
}

/** Undefined: the blocks do not end where they could. */
function blocksEnd(bytes: Buffer, start: number, end: number): number | undefined {
  let at = start;
  while (at + blockHeaderBytes <= end) {
    const header = getLe16(bytes, at) | ((bytes[at + 2] as number) << 16);
    const type = (header >>> 1) & 3;
    if (type > blockType.compressed) return undefined;
    at += blockHeaderBytes + (type === blockType.repeated ? 1 : header >>> 3);
    if ((header & 1) === 1) return at;
  }
  return undefined;
}
