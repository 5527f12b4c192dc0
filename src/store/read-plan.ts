/**
 * What a read of blocks has to do, in memory that is used again: where each block is kept, and the frames that have to be
 * had for them, each once, in the order in which they lie.
 *
 * Invariant: the blocks of a frame follow each other by `nextBlock` from its `firstBlock` on, in their order.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax, readBlockCountMax } from "#src/core/store-limits.ts";
import { segmentOf } from "#src/records/address.ts";
import type { ObjectName } from "./objects.ts";
import { type PartType, partType } from "./part.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { Slot } from "./slot-cursor.ts";
import { frameAt, frameSlotAt, placeInFrameAt, slotChecksumAt } from "./slot-page.ts";

export const frameBytesMax = frameBlockCountMax * blockBytes;

/** A frame that blocks are kept in. */
export class FrameUse {
  readonly type: PartType = partType.frame;
  readonly directory: SegmentDirectory;
  readonly offset: number;
  readonly storedBytes: number;
  readonly number: number;
  /** No other one has it, in any generation; of those of one segment the ones that lie behind have a higher one. */
  readonly key: number;
  /** The first of the blocks that are wanted of it, and the last. */
  readonly firstBlock: number;
  lastBlock: number;
  /** Where its blocks are to be, while it is read. */
  room: Buffer = noRoom;
  #inPlaceCount = 0;

  constructor(kept: Slot, firstBlock: number) {
    const { offset, storedBytes } = frameAt(kept.page, kept.start);
    this.directory = kept.directory;
    this.offset = offset;
    this.storedBytes = storedBytes;
    this.number = frameSlotAt(kept.page, kept.start);
    this.key = kept.directory.keyOf(this.type, this.number);
    this.firstBlock = firstBlock;
    this.lastBlock = firstBlock;
  }

  wants(block: number, place: number): void {
    const isNext = place === this.#inPlaceCount && block === this.firstBlock + place;
    this.#inPlaceCount = isNext ? place + 1 : Number.NaN;
  }

  /** All of it is wanted, as it lies. */
  get isWhole(): boolean {
    return this.#inPlaceCount === frameBlockCountMax;
  }

  isBefore(next: FrameUse): boolean {
    return this.directory === next.directory && this.offset + this.storedBytes === next.offset;
  }
}

const noRoom = Buffer.alloc(0);
const state = { lost: 0, zeros: 1, kept: 2 };
/** Behind the last block of a frame. */
export const noBlock = 0xffff;

export class ReadPlan {
  readonly addresses = new Float64Array(readBlockCountMax);
  readonly volumes = new Uint32Array(readBlockCountMax);
  /** Whose segments they have to be in; undefined: anybody's. */
  group: string | undefined;
  /** Of each block whether it could not be had. */
  readonly damaged = new Uint8Array(readBlockCountMax);
  readonly frames: FrameUse[] = [];
  /** Objects that were known to be there, and are not. */
  readonly absent = new Set<ObjectName>();
  readonly #states = new Uint8Array(readBlockCountMax);
  readonly #places = new Uint8Array(readBlockCountMax);
  /** The entry of what was asked for: its checksum counts, wherever the block is kept. */
  readonly #pages: (Buffer | undefined)[] = new Array(readBlockCountMax).fill(undefined);
  readonly #starts = new Uint32Array(readBlockCountMax);
  /** Of each block that is kept the next one of the same frame. */
  readonly #nextBlocks = new Uint16Array(readBlockCountMax);
  /** Segments of damaged blocks are told by it, too. */
  readonly #keptSegments = new Float64Array(readBlockCountMax);
  readonly #framesByKey = new Map<number, FrameUse>();
  #isInOrder = true;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `addresses` and `volumes` say of so many blocks what they are. */
  begin(count: number): void {
    assert(count <= readBlockCountMax, "a read is not too long");
    this.#count = count;
    this.#states.fill(state.lost, 0, count);
    this.damaged.fill(0, 0, count);
    this.#clearFrames();
    this.absent.clear();
  }

  /** Nothing of what was read is held any longer. */
  end(): void {
    this.#pages.fill(undefined, 0, this.#count);
    this.#clearFrames();
  }

  #clearFrames(): void {
    this.frames.length = 0;
    this.#framesByKey.clear();
    this.#isInOrder = true;
  }

  zeros(block: number, asked: Slot): void {
    this.#note(block, asked, state.zeros);
  }

  /** `kept` says where it is, `asked` what it was when it was asked for. */
  kept(block: number, asked: Slot, kept: Slot): void {
    this.#note(block, asked, state.kept);
    const key = kept.directory.keyOf(partType.frame, frameSlotAt(kept.page, kept.start));
    const last = this.frames.at(-1);
    const known = last?.key === key ? last : this.#framesByKey.get(key);
    const frame = known ?? new FrameUse(kept, block);
    if (known === undefined) {
      if (last !== undefined && last.key > key) this.#isInOrder = false;
      this.frames.push(frame);
      this.#framesByKey.set(key, frame);
    } else this.#nextBlocks[frame.lastBlock] = block;
    frame.lastBlock = block;
    this.#nextBlocks[block] = noBlock;
    const place = placeInFrameAt(kept.page, kept.start);
    frame.wants(block, place);
    this.#places[block] = place;
    this.#keptSegments[block] = kept.directory.identity.segment;
  }

  /** All blocks were told: those that lie behind each other are to be read so. */
  putInOrder(): void {
    if (!this.#isInOrder) this.frames.sort((one, other) => one.key - other.key);
    this.#isInOrder = true;
  }

  /** Of the same frame; `noBlock` where there is none. */
  nextBlock(block: number): number {
    return this.#nextBlocks[block] as number;
  }

  #note(block: number, { page, start }: Slot, is: number): void {
    this.#states[block] = is;
    this.#pages[block] = page;
    this.#starts[block] = start;
  }

  isZeros(block: number): boolean {
    return this.#states[block] === state.zeros;
  }

  isKept(block: number): boolean {
    return this.#states[block] === state.kept;
  }

  placeOf(block: number): number {
    return this.#places[block] as number;
  }

  /** Of a block that is zeros or kept. */
  pageOf(block: number): Buffer {
    const page = this.#pages[block];
    assert(page !== undefined, "the block was found");
    return page;
  }

  checksumAt(block: number): number {
    return slotChecksumAt(this.#starts[block] as number);
  }

  get hasDamage(): boolean {
    for (let block = 0; block < this.#count; block++) if (this.damaged[block] === 1) return true;
    return false;
  }

  /** Those that were asked for, and those where they are kept. */
  segmentsOfDamaged(): Set<number> {
    const segments = new Set<number>();
    for (let block = 0; block < this.#count; block++) {
      if (this.damaged[block] !== 1) continue;
      segments.add(segmentOf(this.addresses[block] as number));
      if (this.isKept(block)) segments.add(this.#keptSegments[block] as number);
    }
    return segments;
  }
}
