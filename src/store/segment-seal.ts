/**
 * Seals a segment: every block of a closed one is fingerprinted; what the store has already becomes a forward, the rest is
 * kept. The slots stay what they were.
 *
 * Invariants: a forward points to a kept block of an earlier slot or of another sealed segment; a block is kept or
 * forwarded only if it was found sound.
 */
import { blockBytes } from "#src/core/limits.ts";
import { sealRunBlocks } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, holeAddress, slotsPerSegment } from "#src/records/address.ts";
import { KeptBlocks } from "./kept-blocks.ts";
import type { SealHelpers } from "./seal-helpers.ts";
import { type PartSink, SegmentBuilder } from "./segment-builder.ts";
import type { SegmentCounts } from "./segment-format.ts";
import { slotEntryBytes } from "./slot-page.ts";
import { blockState, SlotRun } from "./slot-run.ts";

/** A data segment to which nothing is added any more. */
export interface ClosedSegment {
  readonly segment: number;
  readonly slotCount: number;
  /** Reads so many slots from `slot` on into the run: at most `sealRunBlocks`. */
  read(slot: number, count: number, run: SlotRun): void;
}

/** What the store has. */
export interface KnownBlocks {
  /** Of each fingerprint the address of a kept block that has it, all of it compared; the hole where there is none. */
  find(fingerprints: Buffer, count: number, addresses: Float64Array): Promise<void>;
}

export interface SealParts {
  readonly source: ClosedSegment;
  readonly sink: PartSink;
  readonly known: KnownBlocks;
  /** Slots that others may point to: whatever is known, they keep their blocks. Undefined: there are none. */
  readonly isPointedTo?: ((slot: number) => boolean) | undefined;
  readonly helpers: SealHelpers;
  /** Afterwards `kept` has what the segment keeps. */
  readonly memory: SealMemory;
}

/** What sealing works with, used again for the next segment. */
export class SealMemory {
  readonly kept = new KeptBlocks();
  /** As many as helpers take at a time. */
  readonly runs: SlotRun[] = [];
  readonly entries = Buffer.alloc(slotsPerSegment * slotEntryBytes);
  /** Of a run's blocks that need a fingerprint: what is known of them. */
  readonly addresses = new Float64Array(sealRunBlocks);
}

export interface SealedSegment {
  readonly counts: SegmentCounts;
  /** The part that says where the others are. */
  readonly table: Buffer;
}

/** A run whose fingerprints are being made. */
interface RunAhead {
  readonly firstSlot: number;
  readonly run: SlotRun;
  readonly count: number;
  /** How many it has, or what went wrong. Never rejects. */
  readonly asked: Promise<number | Error>;
}

export async function sealSegment(parts: SealParts): Promise<SealedSegment> {
  return await new SegmentSeal(parts).seal();
}

class SegmentSeal {
  readonly #parts: SealParts;
  readonly #builder: SegmentBuilder;
  readonly #addresses: Float64Array;
  readonly #free: SlotRun[];
  readonly #ahead: RunAhead[] = [];
  #nextSlot = 0;

  constructor(parts: SealParts) {
    const { kept, entries, addresses, runs } = parts.memory;
    kept.clear();
    while (runs.length < parts.helpers.aheadCount) runs.push(new SlotRun());
    this.#parts = parts;
    this.#builder = new SegmentBuilder(parts.sink, kept, entries, parts.helpers);
    this.#addresses = addresses;
    this.#free = [...runs];
  }

  async seal(): Promise<SealedSegment> {
    try {
      await this.#sealRuns();
      const table = await this.#builder.finish();
      return { counts: this.#builder.counts, table };
    } finally {
      // Whoever comes next uses the same memory.
      for (const { asked } of this.#ahead) await asked;
      await this.#builder.settle();
    }
  }

  async #sealRuns(): Promise<void> {
    for (;;) {
      this.#readAhead();
      const oldest = this.#ahead.shift();
      if (oldest === undefined) return;
      const asked = await oldest.asked;
      if (typeof asked !== "number") throw asked;
      await this.#sealRun(oldest, asked);
      this.#free.push(oldest.run);
    }
  }

  #readAhead(): void {
    const { source, helpers } = this.#parts;
    while (this.#nextSlot < source.slotCount) {
      const run = this.#free.pop();
      if (run === undefined) return;
      const count = Math.min(sealRunBlocks, source.slotCount - this.#nextSlot);
      source.read(this.#nextSlot, count, run);
      const asked = helpers.fingerprint(run, count).catch((error: Error) => error);
      this.#ahead.push({ firstSlot: this.#nextSlot, run, count, asked });
      this.#nextSlot += count;
    }
  }

  async #sealRun({ firstSlot, run, count }: RunAhead, asked: number): Promise<void> {
    await this.#parts.known.find(run.fingerprints, asked, this.#addresses);
    for (let index = 0, next = 0; index < count; index++) {
      const state = run.states[index];
      if (state === blockState.none) this.#builder.addNone();
      else if (state === blockState.damaged) this.#builder.addDamaged(run, index);
      else if (run.isZeros(index)) this.#builder.addZeros(run, index);
      else this.#addBlock(run, index, next++, firstSlot + index);
      if (this.#builder.isFrameFull) await this.#builder.writeFrame();
    }
  }

  #addBlock(run: SlotRun, index: number, place: number, slot: number): void {
    const { fingerprints, blocks } = run;
    const address = this.#parts.isPointedTo?.(slot) === true ? holeAddress : this.#addressOf(run, place);
    if (address === holeAddress) {
      this.#builder.addKept(run, index, blocks, index * blockBytes, fingerprints, place * fingerprintBytes);
    } else {
      this.#builder.addForward(run, index, address);
    }
  }

  /** Of a kept block that has the same fingerprint; the hole where there is none. */
  #addressOf({ fingerprints }: SlotRun, place: number): number {
    const { memory, source } = this.#parts;
    const slot = memory.kept.slotOf(fingerprints, place * fingerprintBytes);
    return slot === undefined ? (this.#addresses[place] as number) : addressOf(source.segment, slot);
  }
}
