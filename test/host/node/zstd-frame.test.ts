import { zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { isWholeFrame } from "#src/host/node/zstd-frame.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const frameOf = (content: Buffer) => zstdCompressSync(content, { chunkSize: content.length + 1000 });

test("frames of all lengths are known, wherever they lie", () => {
  for (const length of [0, 1, 255, 256, 257, 65_535, 65_791, 65_792, 131_073, 5_000_000]) {
    for (const content of [Buffer.alloc(length), new SeededRandom(length).bytes(length)]) {
      const frame = frameOf(content);
      const around = Buffer.concat([Buffer.alloc(9), frame, Buffer.alloc(9)]);
      expect(isWholeFrame(around, 9, 9 + frame.length, length)).toBe(true);
      expect(isWholeFrame(around, 9, 10 + frame.length, length)).toBe(false);
      expect(isWholeFrame(around, 9, 8 + frame.length, length)).toBe(false);
    }
  }
});

test("a frame that says another length of its content is not the one that was wanted", () => {
  const frame = frameOf(Buffer.alloc(1000));
  for (const wanted of [0, 999, 1001, 744, 2 ** 32 + 1000]) {
    expect(isWholeFrame(frame, 0, frame.length, wanted)).toBe(false);
  }
});

test("what stands for a dictionary, a checksum, or for nothing, is refused", () => {
  const frame = frameOf(Buffer.alloc(1000));
  for (const flag of [1, 2, 4, 8, 16]) {
    const other = Buffer.from(frame);
    other[4] = (other[4] as number) | flag;
    expect(isWholeFrame(other, 0, other.length, 1000)).toBe(false);
  }
});

test("another magic number, or a block of a kind that is none, is refused", () => {
  const frame = frameOf(Buffer.alloc(1000));
  for (const at of [0, 1, 2, 3]) {
    const other = Buffer.from(frame);
    other[at] = (other[at] as number) ^ 1;
    expect(isWholeFrame(other, 0, other.length, 1000)).toBe(false);
  }
  // The first block's header lies behind magic, descriptor and two bytes of length.
  const other = Buffer.from(frame);
  other[7] = (other[7] as number) | 6;
  expect(isWholeFrame(other, 0, other.length, 1000)).toBe(false);
});

test("a frame that is cut off anywhere is not whole, whatever lies behind it", () => {
  const frame = frameOf(new SeededRandom(1).bytes(400));
  for (let length = 0; length < frame.length; length++) expect(isWholeFrame(frame, 0, length, 400)).toBe(false);
});
