/**
 * The part compression port: zstd for the parts of the store's objects, from one buffer into another without memory of its
 * own for each part. What is compressed is one frame that says how long its content is. Calls return when they are done.
 */
export interface PartCompression {
  /** `target` has room for `compressedBytesMax` of them from `at` on. Answers how many bytes it wrote there. */
  compress(bytes: Buffer, start: number, end: number, target: Buffer, at: number): number;
  /**
   * Whether what lies there is one whole frame, and just `byteLength` bytes came of it. Writes nowhere but where these
   * belong, of which anything may be there when they did not come.
   */
  decompress(bytes: Buffer, start: number, end: number, target: Buffer, at: number, byteLength: number): boolean;
}

export { partCompression, setPartEffort } from "./node/part-compression.ts";
export { compressedBytesMax } from "./node/zstd.ts";
