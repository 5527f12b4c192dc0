/** Slots that lie behind each other, on their way into a sealed segment, in memory that threads can share. */

import { blockBytes } from "#src/core/limits.ts";
import { getLe32 } from "#src/core/little-endian.ts";
import { sealRunBlocks } from "#src/core/store-limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import type { SlotFacts } from "./segment-builder.ts";

export const blockState = { none: 0, sound: 1, damaged: 2 } as const;

const volumesAt = sealRunBlocks * blockBytes;
const checksumsAt = volumesAt + sealRunBlocks * Uint32Array.BYTES_PER_ELEMENT;
const fingerprintsAt = checksumsAt + sealRunBlocks * checksumBytes;
const statesAt = fingerprintsAt + sealRunBlocks * fingerprintBytes;
const zerosAt = statesAt + sealRunBlocks;
const slotRunBytes = zerosAt + sealRunBlocks;

const zeroBlock = Buffer.alloc(blockBytes);

export class SlotRun implements SlotFacts {
  readonly memory: SharedArrayBuffer;
  readonly blocks: Buffer;
  readonly volumes: Uint32Array;
  readonly checksums: Buffer;
  /** Of `blockState`. */
  readonly states: Uint8Array;
  /** Of the blocks that need one, behind each other; `fingerprint` fills them in. */
  readonly fingerprints: Buffer;
  readonly #zeros: Uint8Array;

  constructor(memory = new SharedArrayBuffer(slotRunBytes)) {
    this.memory = memory;
    this.blocks = Buffer.from(memory, 0, volumesAt);
    this.volumes = new Uint32Array(memory, volumesAt, sealRunBlocks);
    this.checksums = Buffer.from(memory, checksumsAt, sealRunBlocks * checksumBytes);
    this.fingerprints = Buffer.from(memory, fingerprintsAt, sealRunBlocks * fingerprintBytes);
    this.states = new Uint8Array(memory, statesAt, sealRunBlocks);
    this.#zeros = new Uint8Array(memory, zerosAt, sealRunBlocks);
  }

  /** Known of sound blocks, once they were fingerprinted. */
  isZeros(index: number): boolean {
    return this.#zeros[index] === 1;
  }

  /** Of all sound blocks among the first `count` that are not zeros. Answers how many these are. */
  fingerprint(count: number, fingerprints: Fingerprints): number {
    let asked = 0;
    for (let index = 0; index < count; index++) {
      if (this.states[index] !== blockState.sound) continue;
      const start = index * blockBytes;
      const isZeros = getLe32(this.blocks, start) === 0 && this.#compareToZeros(start) === 0;
      this.#zeros[index] = isZeros ? 1 : 0;
      if (isZeros) continue;
      fingerprints.put(this.blocks, start, start + blockBytes, this.fingerprints, asked * fingerprintBytes);
      asked++;
    }
    return asked;
  }

  #compareToZeros(start: number): number {
    return this.blocks.compare(zeroBlock, 0, blockBytes, start, start + blockBytes);
  }
}
