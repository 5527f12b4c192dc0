/** Blocks of an image file as closed segments, with sums as a journal has them beside its data. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";

export const benchVolume = 1;

export class ImageSource {
  readonly #descriptor: number;
  /** Which blocks of the file, in the order in which they were written; undefined: all of them. */
  readonly #numbers: Uint32Array | undefined;
  readonly blockCount: number;

  constructor(path: string, numbers?: Uint32Array) {
    this.#descriptor = openSync(path, "r");
    this.#numbers = numbers;
    this.blockCount = numbers?.length ?? Math.floor(fstatSync(this.#descriptor).size / blockBytes);
  }

  get segmentCount(): number {
    return Math.ceil(this.blockCount / slotsPerSegment);
  }

  slotCountOf(index: number): number {
    return Math.min(slotsPerSegment, this.blockCount - index * slotsPerSegment);
  }

  /** The one of this index among them, under the number that it is to have in the store. */
  segment(index: number, segment: number): ClosedSegment {
    const first = index * slotsPerSegment;
    return {
      segment,
      slotCount: this.slotCountOf(index),
      read: (slot, count, run) => this.#read(first + slot, count, run),
    };
  }

  #read(first: number, count: number, run: SlotRun): void {
    this.#readBlocks(first, count, run);
    for (let index = 0; index < count; index++) {
      const start = index * blockBytes;
      putChecksum(run.blocks, start, start + blockBytes, run.checksums, index * checksumBytes);
    }
    run.volumes.fill(benchVolume, 0, count);
    run.states.fill(blockState.sound, 0, count);
  }

  #readBlocks(first: number, count: number, run: SlotRun): void {
    const numbers = this.#numbers;
    if (numbers === undefined) {
      this.#fill(run.blocks, 0, count * blockBytes, first * blockBytes);
      return;
    }
    for (let index = 0; index < count; index++) {
      const position = (numbers[first + index] as number) * blockBytes;
      this.#fill(run.blocks, index * blockBytes, blockBytes, position);
    }
  }

  #fill(target: Buffer, start: number, byteLength: number, position: number): void {
    const readBytes = readSync(this.#descriptor, target, start, byteLength, position);
    if (readBytes !== byteLength) throw new Error("the image ends before what is to be read of it");
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
