/** XXH3 straight from the package, without the product's own way to it: the bytes as docs/formats.md says they lie in a file. */
import { createRequire } from "node:module";

const { XXHash3 } = createRequire(import.meta.url)("xxhash-addon") as {
  readonly XXHash3: { hash(data: Uint8Array): Buffer };
};

/** Little-endian, as in files; the package answers the other way round. */
export function sumOf(bytes: Uint8Array): Buffer {
  return Buffer.from(XXHash3.hash(bytes)).reverse();
}

/** Whether `sum` bytes at `at` are the checksum of `bytes` from `start` to `end`. */
export function isSummed(bytes: Buffer, start: number, end: number, sums: Buffer, at: number): boolean {
  return (
    end <= bytes.length && at + 8 <= sums.length && sumOf(bytes.subarray(start, end)).equals(sums.subarray(at, at + 8))
  );
}
