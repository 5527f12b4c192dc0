/** Which of two ways parts are compressed: both make and read the same. */
import { assert } from "#src/core/assert.ts";
import type { PartCompression } from "../part-compression.ts";
import { compressed, compressedBytesMax, decompressed } from "./zstd.ts";
import { openContextCompression } from "./zstd-context.ts";
import { isWholeFrame } from "./zstd-frame.ts";

/** By Node's own calls, each of which makes a context and memory for what comes. */
export const oneCallCompression: PartCompression = {
  compress: (bytes, start, end, target, at) => {
    const found = compressed(bytes.subarray(start, end));
    assert(found.length <= compressedBytesMax(end - start), "whatever it is, it can be compressed into such room");
    return found.copy(target, at);
  },
  decompress: (bytes, start, end, target, at, byteLength) => {
    if (!isWholeFrame(bytes, start, end, byteLength)) return false;
    const found = decompressed(bytes.subarray(start, end), byteLength);
    found?.copy(target, at);
    return found !== undefined;
  },
};

let chosen: PartCompression | undefined;

/** One for all that this thread does. */
export function partCompression(): PartCompression {
  chosen ??= openContextCompression() ?? oneCallCompression;
  return chosen;
}
