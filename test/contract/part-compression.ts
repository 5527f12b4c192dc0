/** What every compression of parts must do. */
import { createZstdCompress, constants as zlibConstants, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressedBytesMax, type PartCompression } from "#src/host/part-compression.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const sentinel = 0xa5;
const lengths = [1, 4, 255, 256, 257, 4096, 12_288, 16_384, 65_535, 65_536, 66_000, 131_073, 1_048_576];

export function describePartCompressionContract(name: string, make: () => PartCompression): void {
  describe(`${name} keeps the contract of part compression`, () => {
    test("what was compressed comes back, whatever it is and however long", () => {
      const compression = make();
      for (const length of lengths) {
        for (const bytes of [Buffer.alloc(length), text(length), new SeededRandom(length).bytes(length)]) {
          const packed = pack(compression, bytes);
          expect(packed.length).toBeLessThanOrEqual(compressedBytesMax(length));
          expect(unpack(compression, packed, length)?.equals(bytes)).toBe(true);
        }
      }
    });

    test("nothing is read or written but what lies between the positions", () => {
      const compression = make();
      const bytes = Buffer.concat([Buffer.alloc(100, sentinel), text(16_384), Buffer.alloc(100, sentinel)]);
      const roomBytes = compressedBytesMax(16_384);
      const target = Buffer.alloc(50 + roomBytes + 50, sentinel);
      const length = compression.compress(bytes, 100, 100 + 16_384, target, 50);
      expect(isUntouched(target, 0, 50) && isUntouched(target, 50 + roomBytes, target.length)).toBe(true);
      const back = Buffer.alloc(bytes.length, sentinel);
      expect(compression.decompress(target, 50, 50 + length, back, 100, 16_384)).toBe(true);
      expect(back.equals(bytes)).toBe(true);
    });

    test("the same bytes become the same, whatever was compressed before them", () => {
      const compression = make();
      const first = pack(compression, text(16_384));
      pack(compression, new SeededRandom(1).bytes(1_048_576));
      pack(compression, text(100));
      expect(pack(compression, text(16_384)).equals(first)).toBe(true);
    });

    test("a frame of which more or less comes than is wanted is refused, and writes nowhere else", () => {
      const compression = make();
      const packed = pack(compression, Buffer.alloc(1_048_576));
      for (const wanted of [0, 1, 16_384, 1_048_575, 1_048_577]) {
        const target = Buffer.alloc(wanted + 200, sentinel);
        expect(compression.decompress(packed, 0, packed.length, target, 100, wanted)).toBe(false);
        expect(isUntouched(target, 0, 100) && isUntouched(target, 100 + wanted, target.length)).toBe(true);
      }
    });

    test("a frame that lies about how much comes of it is refused, and writes nowhere else", () => {
      const compression = make();
      const packed = pack(compression, Buffer.alloc(1000, 7));
      // Its header: magic, descriptor, then two bytes of length less 256, since a single byte would not do.
      expect(packed.readUInt16LE(5)).toBe(1000 - 256);
      for (const claimed of [256, 500, 999, 1001, 60_000]) {
        packed.writeUInt16LE(claimed - 256, 5);
        const target = Buffer.alloc(claimed + 200, sentinel);
        expect(compression.decompress(packed, 0, packed.length, target, 100, claimed)).toBe(false);
        expect(isUntouched(target, 0, 100) && isUntouched(target, 100 + claimed, target.length)).toBe(true);
      }
      expectStillUsable(compression);
    });

    test("a frame that is cut off anywhere, has something behind it, or comes twice, is refused", () => {
      const compression = make();
      const packed = pack(compression, text(3000));
      for (let length = 0; length < packed.length; length++) {
        expect(unpack(compression, packed.subarray(0, length), 3000)).toBeUndefined();
      }
      expect(unpack(compression, Buffer.concat([packed, Buffer.alloc(1)]), 3000)).toBeUndefined();
      expect(unpack(compression, Buffer.concat([packed, packed]), 3000)).toBeUndefined();
      expect(unpack(compression, Buffer.concat([packed, packed]), 6000)).toBeUndefined();
      expectStillUsable(compression);
    });

    test("frames of another making than the format allows are refused", async () => {
      const compression = make();
      const bytes = text(3000);
      const params = { [zlibConstants.ZSTD_c_checksumFlag]: 1 };
      expect(unpack(compression, zstdCompressSync(bytes, { params }), 3000)).toBeUndefined();
      const streamed: Buffer[] = [];
      const stream = createZstdCompress();
      stream.on("data", (piece: Buffer) => streamed.push(piece));
      const isOver = new Promise((resolve) => stream.on("end", resolve));
      // It has begun before it knows how long its content will be.
      stream.write(bytes.subarray(0, 1000));
      stream.flush(() => stream.end(bytes.subarray(1000)));
      await isOver;
      expect(unpack(compression, Buffer.concat(streamed), 3000)).toBeUndefined();
    });

    test("fault 18: whatever bits have flipped, nothing is written elsewhere, and the next part comes back", () => {
      const compression = make();
      const random = new SeededRandom(7);
      const good = pack(compression, text(5000));
      for (let round = 0; round < 3000; round++) {
        const bad = Buffer.from(good);
        for (let flips = random.between(1, 3); flips > 0; flips--) {
          const at = random.integerBelow(bad.length);
          bad[at] = (bad[at] as number) ^ (1 << random.integerBelow(8));
        }
        const target = Buffer.alloc(5200, sentinel);
        compression.decompress(bad, 0, bad.length, target, 100, 5000);
        expect(isUntouched(target, 0, 100) && isUntouched(target, 5100, 5200)).toBe(true);
        if (round % 10 === 0) expectStillUsable(compression);
      }
      expectStillUsable(compression);
    });

    test("bytes of chance are refused", () => {
      const compression = make();
      const random = new SeededRandom(8);
      for (let round = 0; round < 1000; round++) {
        const bytes = random.bytes(random.between(0, 300));
        Buffer.from("28b52ffd20", "hex").copy(bytes);
        expect(unpack(compression, bytes, bytes[5] ?? 0)).toBeUndefined();
      }
      expectStillUsable(compression);
    });
  });
}

export function pack(compression: PartCompression, bytes: Buffer): Buffer {
  const target = Buffer.alloc(compressedBytesMax(bytes.length));
  return target.subarray(0, compression.compress(bytes, 0, bytes.length, target, 0));
}

export function unpack(compression: PartCompression, packed: Buffer, byteLength: number): Buffer | undefined {
  const target = Buffer.alloc(byteLength);
  return compression.decompress(packed, 0, packed.length, target, 0, byteLength) ? target : undefined;
}

/** Neither all the same nor all chance. */
export function text(byteLength: number): Buffer {
  const random = new SeededRandom(42);
  const bytes = Buffer.alloc(byteLength);
  for (let at = 0; at < byteLength; at++) bytes[at] = at % 3 === 0 ? random.integerBelow(256) : 97 + (at % 11);
  return bytes;
}

function expectStillUsable(compression: PartCompression): void {
  const bytes = text(2000);
  expect(unpack(compression, pack(compression, bytes), 2000)?.equals(bytes)).toBe(true);
}

function isUntouched(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, end).every((byte) => byte === sentinel);
}
