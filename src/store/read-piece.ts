/**
 * A piece of what is read in a row: which blocks, and then the blocks, in memory that threads share. One side has it at a
 * time: whoever asks for it to be read does not touch it until the answer has come.
 */
import { blockBytes } from "#src/core/limits.ts";
import { readBlockCountMax } from "#src/core/store-limits.ts";
import type { WantedBlocks } from "./block-reader.ts";

const addressesBytes = readBlockCountMax * Float64Array.BYTES_PER_ELEMENT;
const volumesBytes = readBlockCountMax * Uint32Array.BYTES_PER_ELEMENT;
const damagedBytes = readBlockCountMax;
const blocksAt = addressesBytes + volumesBytes + damagedBytes;
export const readPieceBytes = blocksAt + readBlockCountMax * blockBytes;

export class ReadPiece implements WantedBlocks {
  readonly memory: SharedArrayBuffer;
  readonly addresses: Float64Array;
  readonly volumes: Uint32Array;
  /** Of each block 1 where it could not be had: then nothing is to be believed of it. */
  readonly damaged: Uint8Array;
  readonly blocks: Buffer;
  count = 0;
  /** Whose all of them have to be; undefined: nobody knows. */
  group: string | undefined;

  constructor(memory = new SharedArrayBuffer(readPieceBytes)) {
    this.memory = memory;
    this.addresses = new Float64Array(memory, 0, readBlockCountMax);
    this.volumes = new Uint32Array(memory, addressesBytes, readBlockCountMax);
    this.damaged = new Uint8Array(memory, addressesBytes + volumesBytes, damagedBytes);
    this.blocks = Buffer.from(memory, blocksAt, readBlockCountMax * blockBytes);
  }

  get isFull(): boolean {
    return this.count === readBlockCountMax;
  }

  add(address: number, volume: number): void {
    this.addresses[this.count] = address;
    this.volumes[this.count] = volume;
    this.count++;
  }
}
