import { describe, expect, test } from "vitest";
import {
  wireBulkBytesMax,
  wireFrameHeaderBytes,
  wireHandshakeBytesMax,
  wireReceiveBytesMin,
} from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { encodeBulkHeader, encodeFrame, type FrameType, frameType } from "#src/wire/frame.ts";
import { FrameReader } from "#src/wire/frame-reader.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

interface Taken {
  readonly type: FrameType;
  readonly body: Buffer;
}

function bulkFrame(number: number, body: Buffer): Buffer {
  return Buffer.concat([encodeBulkHeader(frameType.batches, number, [body]), body]);
}

/** Feeds the bytes as reads of at most so many bytes each. */
function feed(reader: FrameReader, bytes: Buffer, readBytes: () => number, taken: Taken[] = []): Taken[] {
  let at = 0;
  while (at < bytes.length) {
    const target = reader.target();
    expect(target.length).toBeGreaterThan(0);
    const count = bytes.copy(target, 0, at, Math.min(bytes.length, at + readBytes()));
    at += count;
    reader.received(count, (type, buffer, start, end) => {
      taken.push({ type, body: Buffer.from(buffer.subarray(start, end)) });
      return true;
    });
  }
  return taken;
}

function trusting(): FrameReader {
  const reader = new FrameReader();
  reader.trust();
  return reader;
}

test("frames of all sizes come out as they were, whatever the reads bring", () => {
  const random = new SeededRandom(71);
  const sizes = [0, 1, 24, 4096, 65_504, 65_536, 300_000, 1_200_000, 512, 70_000, 0, wireBulkBytesMax, 5000, 512];
  const bodies = sizes.map((size) => Buffer.alloc(size, random.bytes(13)));
  const bytes = Buffer.concat(bodies.map((body, number) => bulkFrame(number, body)));
  const habits: (() => number)[] = [
    () => Number.MAX_SAFE_INTEGER,
    () => 70_001,
    () => random.between(1, 200_000),
    () => (random.chance(0.5) ? random.between(1, 40) : random.between(1, 100_000)),
  ];
  for (const habit of habits) {
    const taken = feed(trusting(), bytes, habit);
    expect(taken.length).toBe(bodies.length);
    for (const [index, { body }] of taken.entries()) expect(body.equals(bodies[index] as Buffer)).toBe(true);
  }
});

test("small frames may come byte by byte", () => {
  const frames = [0, 1, 24, 200].map((size, number) => encodeFrame(frameType.farewell, number, Buffer.alloc(size, 7)));
  const taken = feed(trusting(), Buffer.concat(frames), () => 1);
  expect(taken.map(({ body }) => body.length)).toEqual([0, 1, 24, 200]);
});

test("a large frame is not moved once its place is known", () => {
  const reader = trusting();
  const frame = bulkFrame(0, Buffer.alloc(2_000_000, 5));
  feed(reader, frame.subarray(0, 1000), () => 1000);
  const places = new Set<ArrayBufferLike>();
  for (let at = 1000; at < frame.length; ) {
    const target = reader.target();
    places.add(target.buffer);
    at += feedOnce(reader, frame.subarray(at), target);
  }
  expect(places.size).toBe(1);
});

function feedOnce(reader: FrameReader, bytes: Buffer, target: Buffer): number {
  const count = bytes.copy(target, 0, 0, 300_000);
  reader.received(count, () => true);
  return count;
}

test("a frame that ends the reading leaves the rest unread", () => {
  const reader = trusting();
  const bytes = Buffer.concat([0, 1, 2].map((number) => encodeFrame(frameType.farewell, number, Buffer.alloc(8))));
  let count = 0;
  const target = reader.target();
  bytes.copy(target);
  reader.received(bytes.length, () => ++count < 2);
  expect(count).toBe(2);
});

describe("memory", () => {
  test("a stranger gets little", () => {
    expect(new FrameReader().heldBytes).toBe(wireFrameHeaderBytes + wireHandshakeBytesMax);
  });

  test("grows with what comes, and is given back when nothing needed it for a while", () => {
    const reader = trusting();
    reader.target();
    expect(reader.heldBytes).toBe(wireReceiveBytesMin);
    feed(reader, bulkFrame(0, Buffer.alloc(1_100_000)), () => 60_000);
    expect(reader.heldBytes).toBe(2 * 1024 * 1024);
    reader.rest();
    reader.target();
    expect(reader.heldBytes).toBe(2 * 1024 * 1024);
    reader.rest();
    reader.target();
    expect(reader.heldBytes).toBe(wireReceiveBytesMin);
  });

  test("is not given back under a frame that is half there", () => {
    const reader = trusting();
    const frame = bulkFrame(0, Buffer.alloc(1_100_000, 3));
    const taken = feed(reader, frame.subarray(0, 500_000), () => 60_000);
    reader.rest();
    reader.rest();
    feed(reader, frame.subarray(500_000), () => 60_000, taken);
    expect(taken[0]?.body.equals(Buffer.alloc(1_100_000, 3))).toBe(true);
  });

  test("is never more than a largest frame needs", () => {
    const reader = trusting();
    for (let number = 0; number < 3; number++) {
      feed(reader, bulkFrame(number, Buffer.alloc(wireBulkBytesMax)), () => 1_000_000);
    }
    expect(reader.heldBytes).toBe(wireBulkBytesMax + wireFrameHeaderBytes);
  });

  test("fault 33: a length bomb gets none", () => {
    const bomb = encodeFrame(frameType.farewell, 0, Buffer.alloc(0));
    bomb.writeUInt32LE(0xffff_ffff, 8);
    putChecksum(bomb, 0, 24, bomb, 24);
    const reader = trusting();
    reader.target();
    const heldBytes = reader.heldBytes;
    expect(() => feed(reader, bomb, () => 5)).toThrow("are the limit");
    expect(reader.heldBytes).toBe(heldBytes);
  });
});

test("a body that was altered is not handed on", () => {
  const frame = encodeFrame(frameType.farewell, 0, Buffer.from("good bye"));
  frame[35] = 0;
  const taken: Taken[] = [];
  expect(() => feed(trusting(), frame, () => 1000, taken)).toThrow("altered");
  expect(taken).toEqual([]);
});

test("a frame that comes twice is refused", () => {
  const frame = encodeFrame(frameType.farewell, 0, Buffer.alloc(8));
  expect(() => feed(trusting(), Buffer.concat([frame, frame]), () => 1000)).toThrow("frame 0 came where frame 1");
});
