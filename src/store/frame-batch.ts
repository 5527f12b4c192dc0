/** Frames on their way into an object, and what becomes of them when they are compressed, in memory that threads can share. */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax } from "#src/core/store-limits.ts";
import { compressedBytesMax, type PartCompression } from "#src/host/part-compression.ts";

const frameBytesMax = frameBlockCountMax * blockBytes;
const packedRoomBytes = compressedBytesMax(frameBytesMax);

export function frameBatchBytes(frameCountMax: number): number {
  return frameCountMax * (frameBytesMax + packedRoomBytes + 2 * Uint32Array.BYTES_PER_ELEMENT);
}

export class FrameBatch {
  readonly frameCountMax: number;
  readonly memory: SharedArrayBuffer;
  /** The frames' blocks, from `frameAt` on. */
  readonly blocks: Buffer;
  /** What became of them, from `packedAt` on. */
  readonly packed: Buffer;
  readonly #blockCounts: Uint32Array;
  readonly #packedBytes: Uint32Array;
  /** Of the blocks of each frame. */
  readonly slots: number[][];
  frameCount = 0;

  constructor(frameCountMax: number, memory = new SharedArrayBuffer(frameBatchBytes(frameCountMax))) {
    this.frameCountMax = frameCountMax;
    this.memory = memory;
    const [packedAt, countsAt] = [frameCountMax * frameBytesMax, frameCountMax * (frameBytesMax + packedRoomBytes)];
    this.blocks = Buffer.from(memory, 0, packedAt);
    this.packed = Buffer.from(memory, packedAt, countsAt - packedAt);
    this.#blockCounts = new Uint32Array(memory, countsAt, frameCountMax);
    this.#packedBytes = new Uint32Array(memory, countsAt + frameCountMax * 4, frameCountMax);
    this.slots = Array.from({ length: frameCountMax }, () => []);
  }

  clear(): void {
    this.frameCount = 0;
    for (const slots of this.slots) slots.length = 0;
  }

  get isFull(): boolean {
    return this.frameCount === this.frameCountMax;
  }

  /** Of the frame that is being filled. */
  get openSlots(): number[] {
    return this.slots[this.frameCount] as number[];
  }

  /** Puts a block into the frame that is being filled, which has room for it. */
  add(slot: number, blocks: Buffer, blockAt: number): void {
    const slots = this.openSlots;
    assert(slots.length < frameBlockCountMax, "a frame has room for the block");
    const at = frameAt(this.frameCount) + slots.length * blockBytes;
    blocks.copy(this.blocks, at, blockAt, blockAt + blockBytes);
    slots.push(slot);
  }

  /** The frame that is being filled is to be packed as it is. */
  endFrame(): void {
    this.#blockCounts[this.frameCount] = this.openSlots.length;
    this.frameCount++;
  }

  plainBytesOf(frame: number): number {
    return (this.#blockCounts[frame] as number) * blockBytes;
  }

  packedBytesOf(frame: number): number {
    return this.#packedBytes[frame] as number;
  }

  pack(frameCount: number, compression: PartCompression): void {
    for (let frame = 0; frame < frameCount; frame++) {
      const start = frameAt(frame);
      const end = start + this.plainBytesOf(frame);
      this.#packedBytes[frame] = compression.compress(this.blocks, start, end, this.packed, packedAt(frame));
    }
  }
}

export function frameAt(frame: number): number {
  return frame * frameBytesMax;
}

export function packedAt(frame: number): number {
  return frame * packedRoomBytes;
}
