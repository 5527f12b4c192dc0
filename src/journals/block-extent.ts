/** What records say of a row of blocks of a volume: where their payload lies, or that they read as zeros. */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import type { MetadataEntry } from "./metadata-entry.ts";

export interface BlockExtent {
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  /** Of the first block, the others follow it; of a hole `holeAddress`. */
  readonly address: number;
  /** The data journal that the address is in. */
  readonly level: number;
  /** Of the record that says so. */
  readonly seq: number;
}

/** No volume has a block of this number or beyond it. */
export const endOfBlocks = Number.MAX_SAFE_INTEGER;

/**
 * The blocks that a record decides on, if it does. With a resize these are all behind the volume's new end: what was there is
 * gone, and what the volume may grow by later reads as zeros. So they are where a volume is told of: the spool may have been
 * lost with the resize in it. Throws a `StopError` for one that says no size.
 */
export function extentOf(record: MetadataEntry, extra: Buffer): BlockExtent | undefined {
  const { type, volume, startBlock, blockCount, address, level, seq } = record;
  switch (type) {
    case recordType.write:
    case recordType.trim:
    case recordType.zero:
      return blockCount === 0 ? undefined : { volume, startBlock, blockCount, address, level, seq };
    case recordType.volume:
    case recordType.resize: {
      const endBlock = endBlockAfter(record, extra);
      const blocksBehind = endOfBlocks - endBlock;
      return { volume, startBlock: endBlock, blockCount: blocksBehind, address: holeAddress, level: 0, seq };
    }
    default:
      return undefined;
  }
}

function endBlockAfter({ seq, volume }: MetadataEntry, extra: Buffer): number {
  const sizeBytes = decodeExtra(extra)?.sizeBytes;
  if (typeof sizeBytes === "number" && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0) {
    return Math.ceil(sizeBytes / blockBytes);
  }
  throw new StopError(`record ${seq} tells of volume ${volume}, and does not say how many bytes that has`);
}

export function holds({ volume, startBlock, blockCount }: BlockExtent, ofVolume: number, block: number): boolean {
  return volume === ofVolume && block >= startBlock && block - startBlock < blockCount;
}

/** A part of it. */
export function extentPart(extent: BlockExtent, startBlock: number, blockCount: number): BlockExtent {
  const address = extent.address === holeAddress ? holeAddress : extent.address + (startBlock - extent.startBlock);
  return { ...extent, startBlock, blockCount, address };
}
