/**
 * Where the newest content of blocks lies: a slot per block that was written, with the position of its payload in the
 * spool and its checksum. Grows by doubling, up to what one aggregate may have.
 *
 * Invariants: liveCount <= aggregateBlocksMax; each live slot is found under its volume and block, and no other is.
 */
import { assert } from "#src/core/assert.ts";
import { aggregateBlocksMax, blockBytes } from "#src/core/limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";

const smallestCount = 1024;

export class BlockSlots {
  readonly #byVolume = new Map<number, Map<number, number>>();
  #volumes = new Uint32Array(smallestCount);
  #blocks = new Float64Array(smallestCount);
  #positions = new Float64Array(smallestCount);
  #checksums = Buffer.alloc(smallestCount * checksumBytes);
  /** Slots below this one were given, and those of `#free` have come back. */
  #givenCount = 0;
  readonly #free: number[] = [];

  get liveCount(): number {
    return this.#givenCount - this.#free.length;
  }

  /** The payload of the block lies at `position` in the spool; its checksum at `checksumAt` in `checksums`. */
  put(volume: number, block: number, position: number, checksums: Buffer, checksumAt: number): void {
    const slots = this.#slotsOf(volume);
    let slot = slots.get(block);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#give();
      this.#volumes[slot] = volume;
      this.#blocks[slot] = block;
      slots.set(block, slot);
    }
    this.#positions[slot] = position;
    checksums.copy(this.#checksums, slot * checksumBytes, checksumAt, checksumAt + checksumBytes);
  }

  #slotsOf(volume: number): Map<number, number> {
    let slots = this.#byVolume.get(volume);
    if (slots === undefined) {
      slots = new Map();
      this.#byVolume.set(volume, slots);
    }
    return slots;
  }

  #give(): number {
    if (this.#givenCount === this.#blocks.length) this.#grow();
    return this.#givenCount++;
  }

  #grow(): void {
    const count = Math.min(this.#blocks.length * 2, aggregateBlocksMax);
    assert(count > this.#givenCount, "no aggregate has more blocks than the limit");
    const [volumes, blocks, positions] = [new Uint32Array(count), new Float64Array(count), new Float64Array(count)];
    volumes.set(this.#volumes);
    blocks.set(this.#blocks);
    positions.set(this.#positions);
    const checksums = Buffer.alloc(count * checksumBytes);
    this.#checksums.copy(checksums);
    this.#volumes = volumes;
    this.#blocks = blocks;
    this.#positions = positions;
    this.#checksums = checksums;
  }

  /** What was written there does not count any more. */
  drop(volume: number, startBlock: number, blockCount: number): void {
    const slots = this.#byVolume.get(volume);
    if (slots === undefined) return;
    // A host may trim all of a disk at once, of which only a little was written.
    if (slots.size < blockCount) {
      for (const block of slots.keys())
        if (block >= startBlock && block < startBlock + blockCount) this.#dropOne(slots, block);
      return;
    }
    for (let block = startBlock; block < startBlock + blockCount; block++) this.#dropOne(slots, block);
  }

  #dropOne(slots: Map<number, number>, block: number): void {
    const slot = slots.get(block);
    if (slot === undefined) return;
    slots.delete(block);
    this.#free.push(slot);
  }

  clear(): void {
    this.#byVolume.clear();
    this.#free.length = 0;
    this.#givenCount = 0;
  }

  /** The live slots by volume and block. */
  sorted(): Uint32Array {
    const slots = new Uint32Array(this.liveCount);
    let count = 0;
    for (const ofVolume of this.#byVolume.values()) for (const slot of ofVolume.values()) slots[count++] = slot;
    const [volumes, blocks] = [this.#volumes, this.#blocks];
    return slots.sort(
      (a, b) => (volumes[a] as number) - (volumes[b] as number) || (blocks[a] as number) - (blocks[b] as number),
    );
  }

  volumeOf(slot: number): number {
    return this.#volumes[slot] as number;
  }

  blockOf(slot: number): number {
    return this.#blocks[slot] as number;
  }

  positionOf(slot: number): number {
    return this.#positions[slot] as number;
  }

  /** The checksum of a slot lies at `slot * checksumBytes`. */
  get checksums(): Buffer {
    return this.#checksums;
  }

  /** How many slots from this one on, in sorted order, are of blocks behind each other. */
  runFrom(sorted: Uint32Array, index: number, countMax: number): number {
    const slot = sorted[index] as number;
    const [volume, block] = [this.volumeOf(slot), this.blockOf(slot)];
    let count = 1;
    for (; count < countMax && index + count < sorted.length; count++) {
      const next = sorted[index + count] as number;
      if (this.blockOf(next) !== block + count || this.volumeOf(next) !== volume) break;
    }
    return count;
  }

  /** How many of `count` slots from this one on have their payloads behind each other in the spool. */
  pieceFrom(sorted: Uint32Array, index: number, countMax: number): number {
    const position = this.positionOf(sorted[index] as number);
    let count = 1;
    while (count < countMax && this.positionOf(sorted[index + count] as number) === position + count * blockBytes)
      count++;
    return count;
  }
}
