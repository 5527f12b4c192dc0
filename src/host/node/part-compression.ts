/** Which of two ways parts are compressed: both make and read the same. */
import { assert } from "#src/core/assert.ts";
import type { PartEffort } from "#src/core/store-limits.ts";
import type { PartCompression } from "../part-compression.ts";
import { compressed, compressedBytesMax, decompressed, zstdLevel } from "./zstd.ts";
import { nodeStreams, openContextCompression } from "./zstd-context.ts";
import { isWholeFrame } from "./zstd-frame.ts";

/** By Node's own calls, each of which makes a context and memory for what comes. */
export function oneCallCompression(level = zstdLevel): PartCompression {
  return {
    compress: (bytes, start, end, target, at) => {
      const found = compressed(bytes.subarray(start, end), level);
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
}

/** Levels below 1 leave half as much again for a third of the time, those from 2 to 9 next to nothing less than it. */
const levels: Readonly<Record<PartEffort, number>> = { normal: zstdLevel, small: 12 };

let chosen: PartCompression | undefined;
let chosenLevel = zstdLevel;

/** One for all that this thread does. */
export function partCompression(): PartCompression {
  chosen ??= openContextCompression(nodeStreams(chosenLevel)) ?? oneCallCompression(chosenLevel);
  return chosen;
}

/** Holds for whoever asks for one afterwards. */
export function setPartEffort(effort: PartEffort): void {
  if (levels[effort] === chosenLevel) return;
  chosenLevel = levels[effort];
  chosen = undefined;
}
