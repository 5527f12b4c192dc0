/** What a server tells of an export before anything is read from it, checked. */
import { exportBytesMax } from "#src/core/limits.ts";
import { info, transmissionFlag } from "../constants.ts";
import {
  type BlockSizes,
  decodeBlockSizeInfo,
  decodeExportInfo,
  decodeInfoType,
  decodeTextInfo,
} from "../option-codec.ts";
import { NbdConnectionError, NbdProtocolError } from "./errors.ts";

export interface ExportDetails {
  readonly sizeBytes: number;
  readonly flags: number;
  /** Absent where the server did not say. */
  readonly blockSizes?: BlockSizes;
  /** The server's own name of the export, where it sent one. */
  readonly name?: string;
  readonly description?: string;
}

/** The items of an answer to INFO or GO, gathered until the answer is complete. */
export type PartialDetails = { -readonly [Key in keyof ExportDetails]?: ExportDetails[Key] };

const minimumBytesMax = 65_536;
const preferredBytesMin = 512;

/** Takes one item in. Kinds of information that nobody here knows are passed over, as the protocol asks. */
export function addInfo(details: PartialDetails, data: Uint8Array): void {
  switch (decodeInfoType(data)) {
    case undefined:
      throw new NbdProtocolError("the server sent information without a type");
    case info.export: {
      const size = decodeExportInfo(data);
      if (size === undefined) throw new NbdProtocolError("the server sent an export's size in a wrong form");
      details.sizeBytes = checkedSize(size.sizeBytes);
      details.flags = checkedFlags(size.transmissionFlags);
      return;
    }
    case info.name:
      details.name = decodeTextInfo(data);
      return;
    case info.description:
      details.description = decodeTextInfo(data);
      return;
    case info.blockSize:
      details.blockSizes = checkedBlockSizes(decodeBlockSizeInfo(data));
      return;
    default:
      return;
  }
}

/** The answer is complete: it must have told the size. */
export function completeDetails(details: PartialDetails): ExportDetails {
  const { sizeBytes, flags, ...rest } = details;
  if (sizeBytes === undefined || flags === undefined) {
    throw new NbdProtocolError("the server accepted the export without telling its size");
  }
  return { sizeBytes, flags, ...rest };
}

export function checkedSize(sizeBytes: number): number {
  if (sizeBytes <= exportBytesMax) return sizeBytes;
  throw new NbdConnectionError("the export is larger than this client can address, which is 8 PiB");
}

/** A server that does not set the first flag does not mean the others. */
export function checkedFlags(flags: number): number {
  return (flags & transmissionFlag.hasFlags) === 0 ? 0 : flags;
}

function checkedBlockSizes(sizes: BlockSizes | undefined): BlockSizes {
  if (sizes === undefined) throw new NbdProtocolError("the server sent block sizes in a wrong form");
  const { minimumBytes, preferredBytes, payloadBytesMax } = sizes;
  const isSound =
    isPowerOfTwo(minimumBytes) &&
    minimumBytes <= minimumBytesMax &&
    isPowerOfTwo(preferredBytes) &&
    preferredBytes >= Math.max(minimumBytes, preferredBytesMin) &&
    payloadBytesMax >= preferredBytes;
  if (isSound) return sizes;
  throw new NbdProtocolError(
    `the server sent block sizes that cannot be: minimum ${minimumBytes}, preferred ${preferredBytes}, largest payload ${payloadBytesMax}`,
  );
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
