/**
 * Seals a segment: every block of a closed one is fingerprinted; what the store has already becomes a forward, the rest is
 * kept. The slots stay what they were.
 *
 * Invariants: a forward points to a kept block of an earlier slot or of another sealed segment; a block is kept or
 * forwarded only if it was found sound.
 */
import { blockBytes } from "#src/core/limits.ts";
import { sealRunBlocks } from "#src/core/store-limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, holeAddress, slotsPerSegment } from "#src/records/address.ts";
import { KeptBlocks } from "./kept-blocks.ts";
import { type PartSink, SegmentBuilder, type SlotFacts } from "./segment-builder.ts";
import type { SegmentCounts } from "./segment-format.ts";
import { slotEntryBytes } from "./slot-page.ts";

export const blockState = { none: 0, sound: 1, damaged: 2 } as const;

/** Slots that lie behind each other, as whoever reads them found them. */
export class SlotRun implements SlotFacts {
  readonly blocks = Buffer.alloc(sealRunBlocks * blockBytes);
  readonly checksums = Buffer.alloc(sealRunBlocks * checksumBytes);
  readonly volumes = new Uint32Array(sealRunBlocks);
  readonly states = new Uint8Array(sealRunBlocks);
}

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
  readonly fingerprints: Fingerprints;
  /** Afterwards `kept` has what the segment keeps. */
  readonly memory: SealMemory;
}

/** What sealing works with, used again for the next segment. */
export class SealMemory {
  readonly kept = new KeptBlocks();
  readonly run = new SlotRun();
  readonly entries = Buffer.alloc(slotsPerSegment * slotEntryBytes);
  /** Of the run's blocks that need one, and what is known of them. */
  readonly fingerprints = Buffer.alloc(sealRunBlocks * fingerprintBytes);
  readonly addresses = new Float64Array(sealRunBlocks);
}

export interface SealedSegment {
  readonly counts: SegmentCounts;
  /** The part that says where the others are. */
  readonly table: Buffer;
}

const zeros = Buffer.alloc(blockBytes);

export async function sealSegment(parts: SealParts): Promise<SealedSegment> {
  return await new SegmentSeal(parts).seal();
}

class SegmentSeal {
  readonly #parts: SealParts;
  readonly #builder: SegmentBuilder;
  readonly #run: SlotRun;
  readonly #fingerprints: Buffer;
  readonly #addresses: Float64Array;

  constructor(parts: SealParts) {
    const { kept, entries, run, fingerprints, addresses } = parts.memory;
    kept.clear();
    this.#parts = parts;
    this.#builder = new SegmentBuilder(parts.sink, kept, entries);
    this.#run = run;
    this.#fingerprints = fingerprints;
    this.#addresses = addresses;
  }

  async seal(): Promise<SealedSegment> {
    const { source } = this.#parts;
    for (let slot = 0; slot < source.slotCount; slot += sealRunBlocks) {
      const count = Math.min(sealRunBlocks, source.slotCount - slot);
      source.read(slot, count, this.#run);
      await this.#sealRun(count);
    }
    const table = await this.#builder.finish();
    return { counts: this.#builder.counts, table };
  }

  async #sealRun(count: number): Promise<void> {
    const { states } = this.#run;
    const asked = this.#fingerprint(count);
    await this.#parts.known.find(this.#fingerprints, asked, this.#addresses);
    for (let index = 0, next = 0; index < count; index++) {
      if (states[index] === blockState.none) this.#builder.addNone();
      else if (states[index] === blockState.damaged) this.#builder.addDamaged(this.#run, index);
      else if (this.#isZero(index)) this.#builder.addZeros(this.#run, index);
      else this.#addBlock(index, next++);
      if (this.#builder.isFrameFull) await this.#builder.writeFrame();
    }
  }

  /** Of all sound blocks that are not zeros, in their order. Answers how many. */
  #fingerprint(count: number): number {
    const { states, blocks } = this.#run;
    let asked = 0;
    for (let index = 0; index < count; index++) {
      if (states[index] !== blockState.sound || this.#isZero(index)) continue;
      const start = index * blockBytes;
      this.#parts.fingerprints.put(blocks, start, start + blockBytes, this.#fingerprints, asked * fingerprintBytes);
      asked++;
    }
    return asked;
  }

  #isZero(index: number): boolean {
    const start = index * blockBytes;
    return this.#run.blocks.compare(zeros, 0, blockBytes, start, start + blockBytes) === 0;
  }

  #addBlock(index: number, place: number): void {
    const { memory, source } = this.#parts;
    const fingerprintAt = place * fingerprintBytes;
    const slot = memory.kept.slotOf(this.#fingerprints, fingerprintAt);
    const address = slot === undefined ? (this.#addresses[place] as number) : addressOf(source.segment, slot);
    if (address === holeAddress) {
      this.#builder.addKept(this.#run, index, this.#run.blocks, index * blockBytes, this.#fingerprints, fingerprintAt);
    } else {
      this.#builder.addForward(this.#run, index, address);
    }
  }
}
