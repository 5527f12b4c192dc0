/**
 * Stands in for the appliance while a volume goes on without it: acknowledges everything at once and keeps nothing. The
 * map says what has to be journaled from the source later.
 */
import { assert } from "#src/core/assert.ts";
import { batchPayloadBytesMax, batchRecordCountMax, blockBytes, trackingMemoryCountMax } from "#src/core/limits.ts";
import type { BatchMemory, VolumeLink } from "#src/wire/volume-link.ts";

export interface TrackingReceiver {
  acknowledged(ordinal: number): void;
  roomAgain(): void;
}

export class TrackingLink implements VolumeLink {
  readonly pressure = 0;
  /** Nobody but the source has anything. */
  readonly remoteOrdinal = 0;
  readonly #receiver: TrackingReceiver;
  readonly #memories: TrackingMemory[] = [];
  #current: TrackingMemory;
  #lastOrdinal: number;
  #recordCount = 0;
  #isOver = false;

  constructor(lastOrdinal: number, receiver: TrackingReceiver) {
    this.#lastOrdinal = lastOrdinal;
    this.#receiver = receiver;
    this.#current = this.#newMemory();
  }

  #newMemory(): TrackingMemory {
    const memory = new TrackingMemory(() => this.#released());
    this.#memories.push(memory);
    return memory;
  }

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  get memory(): BatchMemory {
    return this.#current;
  }

  hasRoomFor(payloadBlocks: number): boolean {
    if (this.#recordCount === 0) this.#findFree();
    return this.#recordCount < batchRecordCountMax && this.#current.hasRoomFor(payloadBlocks * blockBytes);
  }

  #findFree(): void {
    const free = this.#memories.find((memory) => memory.isFree);
    if (free !== undefined) this.#current = free;
    else if (this.#memories.length < trackingMemoryCountMax) this.#current = this.#newMemory();
    if (this.#current.isFree) this.#current.usedBytes = 0;
  }

  addWrite(_startBlock: number, blockCount: number, bytes: Buffer, from: number): number {
    this.#lastOrdinal++;
    this.#recordCount++;
    return this.#current.add(bytes, from, blockCount * blockBytes);
  }

  addRange(): void {
    this.#lastOrdinal++;
    this.#recordCount++;
  }

  commit(): void {
    this.#recordCount = 0;
    if (!this.#isOver) this.#receiver.acknowledged(this.#lastOrdinal);
  }

  /** There is nobody who could lose it. */
  flush(done: (error: Error | null) => void): void {
    done(null);
  }

  reportDurable(): void {}

  detach(): void {
    this.#isOver = true;
  }

  #released(): void {
    if (!this.#isOver) this.#receiver.roomAgain();
  }
}

class TrackingMemory implements BatchMemory {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(batchPayloadBytesMax);
  readonly #released: () => void;
  #holders = 0;
  usedBytes = 0;

  constructor(released: () => void) {
    this.#released = released;
  }

  get isFree(): boolean {
    return this.#holders === 0;
  }

  hasRoomFor(byteLength: number): boolean {
    return this.usedBytes + byteLength <= this.buffer.length;
  }

  add(bytes: Buffer, from: number, byteLength: number): number {
    assert(this.hasRoomFor(byteLength), "there is room for the payload");
    const at = this.usedBytes;
    bytes.copy(this.buffer, at, from, from + byteLength);
    this.usedBytes += byteLength;
    return at;
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#released();
  }
}
