/** Made-up blocks for an index, and the segments that keep them. */
import { addressOf } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "#src/store/segment-fingerprints.ts";

export const store = Buffer.alloc(16, 7);

/** The fingerprint of the block that has this number. */
export function fingerprintOf(block: number): Buffer {
  const bytes = Buffer.alloc(32, 0xaa);
  // Spread over all keys, as fingerprints are, and different in their first eight bytes.
  bytes.writeUInt32BE(Math.imul(block, 0x9e3779b1) >>> 0, 0);
  bytes.writeUInt32BE(Math.imul(block ^ 0x5bd1e995, 0x85ebca6b) >>> 0, 4);
  return bytes;
}

/** Blocks with their addresses. */
export function keptBlocks(entries: Iterable<readonly [block: number, address: number]>): KeptFingerprints {
  const list = [...entries];
  return {
    count: list.length,
    fingerprints: Buffer.concat(list.map(([block]) => fingerprintOf(block))),
    addresses: Float64Array.from(list.map(([, address]) => address)),
  };
}

/** A segment that keeps these blocks, in slots from 0 on. */
export function segmentOfBlocks(segment: number, blocks: readonly number[]): KeptFingerprints {
  return keptBlocks(blocks.map((block, slot) => [block, addressOf(segment, slot)]));
}

/** The addresses of these blocks. */
export function found(index: FingerprintIndex, blocks: readonly number[]): number[] {
  const addresses = new Float64Array(blocks.length).fill(-1);
  index.lookup(Buffer.concat(blocks.map(fingerprintOf)), blocks.length, addresses);
  return [...addresses];
}

export function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** As a reader of directories tells of them, some blocks at a time. */
export async function* directories(
  segments: ReadonlyMap<number, readonly number[]>,
  wanted: readonly SegmentName[],
): AsyncGenerator<SegmentFingerprints> {
  for (const { segment, generation } of wanted) {
    const blocks = segments.get(segment) ?? [];
    yield { segment, generation, pieces: pieces(segmentOfBlocks(segment, blocks)) };
  }
}

async function* pieces({ count, fingerprints, addresses }: KeptFingerprints): AsyncGenerator<KeptFingerprints> {
  const piece = 100;
  for (let at = 0; at < count; at += piece) {
    const end = Math.min(count, at + piece);
    yield {
      count: end - at,
      fingerprints: fingerprints.subarray(at * 32, end * 32),
      addresses: addresses.subarray(at, end),
    };
  }
}
