/**
 * Reads blocks of sealed segments by their addresses: through a forward, if there is one, out of the frame they are kept
 * in, and checked against what the slot that was asked for says of them. Frames that lie behind each other are read at once,
 * and a frame that is wanted as it lies is unpacked where it is wanted. Few blocks that are at hand are read without a promise.
 *
 * Invariant: bytes that are not what was written under an address are never given; they are told as damaged.
 */
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import {
  blockReadsKeptMax,
  frameRunCountMax,
  readBlockCountMax,
  storeFrameCacheBytes,
  storeLooksMax,
} from "#src/core/store-limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import { segmentOf } from "#src/records/address.ts";
import { FrameCache } from "./frame-cache.ts";
import { AbsentObjectError } from "./objects.ts";
import { partType } from "./part.ts";
import { type FrameUse, frameBytesMax, noBlock, ReadPlan } from "./read-plan.ts";
import { ScratchBuffers } from "./scratch-buffers.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import { segmentOfObject } from "./segment-format.ts";
import { type Slot, SlotCursor } from "./slot-cursor.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  placeInFrameAt,
  slotChecksumAt,
  slotKind,
  slotKindAt,
  slotVolumeAt,
} from "./slot-page.ts";

/** Blocks behind each other: their addresses are, too. */
export interface AddressRun {
  readonly address: number;
  readonly blockCount: number;
  readonly volume: number;
  /** Whose segment it has to be; undefined: nobody knows. Volumes are numbers within a group. */
  readonly group?: string | undefined;
}

/** Blocks in any order. */
export interface WantedBlocks {
  /** `readBlockCountMax` of them at most. */
  readonly count: number;
  readonly addresses: Float64Array;
  readonly volumes: Uint32Array;
  readonly group?: string | undefined;
}

export class BlockReader {
  readonly #segments: SealedSegments;
  readonly #metDamage: ((segment: number) => void) | undefined;
  readonly #cache: FrameCache;
  readonly #plans: ReadPlan[] = [];
  readonly #askedNow: SlotCursor;
  readonly #forwardedNow: SlotCursor;
  readonly #scratch = new ScratchBuffers({
    bufferBytes: frameRunCountMax * frameBytesMax,
    countMax: blockReadsKeptMax,
  });

  /** `metDamage`: called for each segment that a read has found damage in, however often. */
  constructor(
    segments: SealedSegments,
    metDamage?: (segment: number) => void,
    frameCacheBytes: number = storeFrameCacheBytes,
  ) {
    this.#cache = new FrameCache({ frameBytesMax, limitBytes: frameCacheBytes });
    this.#segments = segments;
    this.#metDamage = metDamage;
    this.#askedNow = new SlotCursor(segments);
    this.#forwardedNow = new SlotCursor(segments);
  }

  has(segment: number): boolean {
    return this.#segments.has(segment);
  }

  /**
   * Reads them to `start` in `target`. Answers which of them are damaged, counted from the first one on: of these nothing
   * is to be believed.
   */
  async read({ address, blockCount, volume, group }: AddressRun, target: Buffer, start: number): Promise<number[]> {
    const damaged: number[] = [];
    for (let first = 0; first < blockCount; first += readBlockCountMax) {
      const count = Math.min(readBlockCountMax, blockCount - first);
      const plan = this.#plans.pop() ?? new ReadPlan();
      for (let block = 0; block < count; block++) plan.addresses[block] = address + first + block;
      plan.volumes.fill(volume, 0, count);
      plan.group = group;
      await this.#carryOut(plan, count, target, start + first * blockBytes);
      for (let block = 0; block < count; block++) if (plan.damaged[block] === 1) damaged.push(first + block);
      this.#giveBack(plan);
    }
    return damaged;
  }

  /**
   * The same at once, frame by frame, if all that is needed is at hand, and sound. False: `read` has to do it; whatever is in
   * `target` then does not count.
   */
  readNow(
    address: number,
    blockCount: number,
    volume: number,
    group: string | undefined,
    target: Buffer,
    start: number,
  ): boolean {
    for (let block = 0; block < blockCount; block++) {
      const asked = this.#askedNow.near(address + block);
      const isWanted =
        asked !== undefined &&
        slotVolumeAt(asked.page, asked.start) === volume &&
        (group === undefined || asked.directory.object.group === group);
      if (isWanted && this.#putNow(asked, target, start + block * blockBytes)) continue;
      // Whatever `read` finds instead is what is looked at the next time.
      this.#askedNow.forget();
      this.#forwardedNow.forget();
      return false;
    }
    return true;
  }

  #putNow(asked: Slot, target: Buffer, at: number): boolean {
    const kind = slotKindAt(asked.page, asked.start);
    if (kind === slotKind.zeros) {
      target.fill(0, at, at + blockBytes);
    } else {
      const isForward = kind === slotKind.forward;
      const kept = isForward ? this.#forwardedNow.near(forwardAt(asked.page, asked.start)) : asked;
      if (kept === undefined || slotKindAt(kept.page, kept.start) !== slotKind.kept) return false;
      const place = this.#frameNow(kept);
      if (place === undefined) return false;
      const from = placeInFrameAt(kept.page, kept.start) * blockBytes;
      if (from + blockBytes > this.#cache.sizeOf(place)) return false;
      this.#cache.roomOf(place).copy(target, at, from, from + blockBytes);
    }
    return hasChecksum(target, at, at + blockBytes, asked.page, slotChecksumAt(asked.start));
  }

  /** Where in the cache it is. */
  #frameNow({ directory, page, start }: Slot): number | undefined {
    const number = frameSlotAt(page, start);
    const key = directory.keyOf(partType.frame, number);
    const known = this.#cache.find(key);
    if (known !== undefined) return known;
    const place = this.#cache.lend();
    if (place === undefined) return undefined;
    const { offset, storedBytes } = frameAt(page, start);
    const wanted = { type: partType.frame, number, offset, storedBytes };
    const plainBytes = directory.object.readPartNow(wanted, this.#cache.roomOf(place), 0);
    if (plainBytes === undefined || plainBytes === 0) {
      this.#cache.giveBack(place);
      return undefined;
    }
    this.#cache.keep(place, key, plainBytes);
    return place;
  }

  /** The same for blocks in any order, which come to lie behind each other. Sets of each whether it is damaged: 1 or 0. */
  async readBlocks(wanted: WantedBlocks, target: Buffer, start: number, damaged: Uint8Array): Promise<void> {
    assert(wanted.count <= readBlockCountMax, "a read is not too long");
    const plan = this.#plans.pop() ?? new ReadPlan();
    plan.addresses.set(wanted.addresses.subarray(0, wanted.count));
    plan.volumes.set(wanted.volumes.subarray(0, wanted.count));
    plan.group = wanted.group;
    await this.#carryOut(plan, wanted.count, target, start);
    damaged.set(plan.damaged.subarray(0, wanted.count));
    this.#giveBack(plan);
  }

  #giveBack(plan: ReadPlan): void {
    plan.end();
    if (this.#plans.length < blockReadsKeptMax) this.#plans.push(plan);
  }

  /**
   * Where an object is gone that was known, another one has mostly taken its place: then all of it is read anew. Likewise
   * once where something is damaged: it may have been repaired since.
   */
  async #carryOut(plan: ReadPlan, count: number, target: Buffer, start: number): Promise<void> {
    assert(start + count * blockBytes <= target.length, "there is room for what is read");
    for (let look = 0; look < storeLooksMax; look++) {
      plan.begin(count);
      await this.#carryOutOnce(plan, target, start);
      const isAnew =
        plan.absent.size === 0 ? look === 0 && (await this.#reopenDamaged(plan)) : await this.#findOthers(plan);
      if (!isAnew) break;
    }
    if (this.#metDamage === undefined || !plan.hasDamage) return;
    for (const segment of plan.segmentsOfDamaged()) this.#metDamage(segment);
  }

  async #reopenDamaged(plan: ReadPlan): Promise<boolean> {
    if (!plan.hasDamage) return false;
    for (const segment of plan.segmentsOfDamaged()) await soundOf(() => this.#segments.reopen(segment), plan);
    return true;
  }

  /** Answers whether there is anything else to be read than before. */
  async #findOthers(plan: ReadPlan): Promise<boolean> {
    let isAny = false;
    for (const name of [...plan.absent]) {
      const identity = segmentOfObject(name);
      if (identity !== undefined && (await soundOf(() => this.#segments.lookAgain(identity), plan))) isAny = true;
    }
    return isAny;
  }

  async #carryOutOnce(plan: ReadPlan, target: Buffer, start: number): Promise<void> {
    await this.#find(plan);
    for (let block = 0; block < plan.count; block++) {
      if (plan.isKept(block)) continue;
      if (plan.isZeros(block)) putZeros(plan, block, target, start + block * blockBytes);
      else plan.damaged[block] = 1;
    }
    plan.putInOrder();
    for (let first = 0; first < plan.frames.length; ) first = await this.#readFrom(plan, first, target, start);
  }

  async #find(plan: ReadPlan): Promise<void> {
    const asked = new SlotCursor(this.#segments);
    const forwarded = new SlotCursor(this.#segments);
    for (let block = 0; block < plan.count; block++) {
      const address = plan.addresses[block] as number;
      const slot = asked.near(address) ?? (await soundOf(() => asked.find(address), plan));
      if (slot === undefined || slotVolumeAt(slot.page, slot.start) !== plan.volumes[block]) continue;
      if (plan.group !== undefined && slot.directory.object.group !== plan.group) continue;
      const kind = slotKindAt(slot.page, slot.start);
      if (kind === slotKind.zeros) plan.zeros(block, slot);
      else if (kind === slotKind.kept) plan.kept(block, slot, slot);
      else if (kind === slotKind.forward) {
        const kept = forwarded.near(forwardAt(slot.page, slot.start)) ?? (await this.#targetOf(slot, forwarded, plan));
        if (kept !== undefined && slotKindAt(kept.page, kept.start) === slotKind.kept) plan.kept(block, slot, kept);
      }
    }
  }

  /** Others may have sealed the segment that it leads to since anybody here has heard which there are. */
  async #targetOf(slot: Slot, cursor: SlotCursor, plan: ReadPlan): Promise<Slot | undefined> {
    const target = forwardAt(slot.page, slot.start);
    const segment = segmentOf(target);
    if (!this.#segments.has(segment)) await soundOf(() => this.#segments.lookFor(segment), plan);
    return await soundOf(() => cursor.find(target), plan);
  }

  /** Reads the blocks of this frame, and of those that can be had together with it. Answers which one is next. */
  async #readFrom(plan: ReadPlan, first: number, target: Buffer, start: number): Promise<number> {
    const frame = plan.frames[first] as FrameUse;
    const known = this.#cache.find(frame.key);
    if (known !== undefined) {
      putBlocks(plan, first, this.#cache.roomOf(known), this.#cache.sizeOf(known), target, start);
      return first + 1;
    }
    const row = rowOf(plan.frames, first);
    // Whoever reads long rows does not come back soon.
    const place = row.length === 1 ? this.#cache.lend() : undefined;
    if (place !== undefined) await this.#readOne(plan, first, place, target, start);
    else await this.#readRow(plan, first, row, target, start);
    return first + row.length;
  }

  async #readOne(plan: ReadPlan, first: number, place: number, target: Buffer, start: number): Promise<void> {
    const frame = plan.frames[first] as FrameUse;
    frame.room = this.#cache.roomOf(place);
    let plainBytes = 0;
    try {
      plainBytes = (await soundOf(() => frame.directory.object.readParts([frame]), plan))?.[0] ?? 0;
    } finally {
      if (plainBytes === 0) this.#cache.giveBack(place);
      else this.#cache.keep(place, frame.key, plainBytes);
    }
    putBlocks(plan, first, frame.room, plainBytes, target, start);
  }

  async #readRow(
    plan: ReadPlan,
    first: number,
    row: readonly FrameUse[],
    target: Buffer,
    start: number,
  ): Promise<void> {
    const scratch = this.#scratch.take(0);
    for (const [index, frame] of row.entries()) {
      const at = frame.isWhole ? start + frame.firstBlock * blockBytes : index * frameBytesMax;
      frame.room = (frame.isWhole ? target : scratch).subarray(at, at + frameBytesMax);
    }
    const found = await soundOf(() => (row[0] as FrameUse).directory.object.readParts(row), plan);
    for (const [index, frame] of row.entries()) {
      putBlocks(plan, first + index, frame.room, found?.[index] ?? 0, target, start);
    }
    this.#scratch.give(scratch);
  }
}

/** The frames from `first` on that lie behind each other in one object. */
function rowOf(frames: readonly FrameUse[], first: number): FrameUse[] {
  let end = first + 1;
  while (end < frames.length && end - first < frameRunCountMax) {
    if (!(frames[end - 1] as FrameUse).isBefore(frames[end] as FrameUse)) break;
    end++;
  }
  return frames.slice(first, end);
}

/** Puts those that a frame has where they are wanted, unless they are there, and checks them. */
function putBlocks(
  plan: ReadPlan,
  frame: number,
  bytes: Buffer,
  plainBytes: number,
  target: Buffer,
  start: number,
): void {
  const isInPlace = bytes.buffer === target.buffer;
  for (let block = (plan.frames[frame] as FrameUse).firstBlock; block !== noBlock; block = plan.nextBlock(block)) {
    const at = start + block * blockBytes;
    const from = plan.placeOf(block) * blockBytes;
    const isThere = from + blockBytes <= plainBytes;
    if (isThere && !isInPlace) bytes.copy(target, at, from, from + blockBytes);
    plan.damaged[block] = isThere && isSound(plan, block, target, at) ? 0 : 1;
  }
}

function putZeros(plan: ReadPlan, block: number, target: Buffer, at: number): void {
  target.fill(0, at, at + blockBytes);
  plan.damaged[block] = isSound(plan, block, target, at) ? 0 : 1;
}

function isSound(plan: ReadPlan, block: number, target: Buffer, at: number): boolean {
  return hasChecksum(target, at, at + blockBytes, plan.pageOf(block), plan.checksumAt(block));
}

/** Undefined: it is not there, which the plan notes, or not as it was written. */
async function soundOf<Found>(find: () => Promise<Found>, plan: ReadPlan): Promise<Found | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AbsentObjectError) plan.absent.add(error.objectName);
    if (error instanceof StopError || error instanceof AbsentObjectError) return undefined;
    throw error;
  }
}
