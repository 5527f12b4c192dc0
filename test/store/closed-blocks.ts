/** Segments to be sealed whose blocks are known by numbers: the same number, the same content; 0 is zeros. */
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";

export interface ClosedSlot {
  readonly content: number;
  readonly volume: number;
  /** Of `blockState`. */
  readonly state: number;
}

export function contentOf(number: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  for (let at = 0; number > 0 && at < blockBytes; at += 4) bytes.writeUInt32LE((number * 2_654_435_761 + at) >>> 0, at);
  return bytes;
}

export function sound(content: number, volume = 1): ClosedSlot {
  return { content, volume, state: blockState.sound };
}

export function damaged(content: number, volume = 1): ClosedSlot {
  return { content, volume, state: blockState.damaged };
}

export const none: ClosedSlot = { content: 0, volume: 0, state: blockState.none };

export class ClosedBlocks implements ClosedSegment {
  readonly segment: number;
  readonly slots: readonly ClosedSlot[];

  constructor(segment: number, slots: readonly ClosedSlot[]) {
    this.segment = segment;
    this.slots = slots;
  }

  get slotCount(): number {
    return this.slots.length;
  }

  read(from: number, count: number, run: SlotRun): void {
    for (const [index, { content, volume, state }] of this.slots.slice(from, from + count).entries()) {
      const block = contentOf(content);
      block.copy(run.blocks, index * blockBytes);
      putChecksum(block, 0, blockBytes, run.checksums, index * 8);
      run.volumes[index] = volume;
      run.states[index] = state;
    }
  }
}
