/** zstd by way of Node's own. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

export const zstdLevel = 1;
/** What a peer may make the decoder hold besides its output: 4 MiB. */
const windowBitsMax = 22;
const chunkBytesMin = 64;

export function compressed(bytes: Buffer, level = zstdLevel): Buffer {
  return zstdCompressSync(bytes, {
    chunkSize: Math.max(chunkBytesMin, bytes.length),
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}

/** Never makes more than `byteLength` bytes of it. Undefined: it does not come to just so many. */
export function decompressed(bytes: Buffer, byteLength: number): Buffer | undefined {
  try {
    const found = zstdDecompressSync(bytes, {
      // One more, so that an output that is full need not ask for another piece of memory to learn that it was all.
      chunkSize: Math.max(chunkBytesMin, byteLength + 1),
      maxOutputLength: byteLength,
      params: { [constants.ZSTD_d_windowLogMax]: windowBitsMax },
    });
    return found.length === byteLength ? found : undefined;
  } catch {
    // Whatever is wrong with it, it is not what was to be sent.
    return undefined;
  }
}

/** What so many bytes may become, however little they like to be compressed. The bound of zstd itself lies just below. */
export function compressedBytesMax(byteLength: number): number {
  return byteLength + (byteLength >>> 8) + 128;
}
