/**
 * Makes a sealed segment out of its slots, given one after the other: frames as they fill up, then the directory.
 *
 * Invariants: every slot is given once, in order; an entry of a kept block gets its frame's place before the pages are
 * written; frames hold kept blocks in the order of their slots.
 */
import { assert } from "#src/core/assert.ts";
import { frameBlockCountMax, slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { type FrameBatch, frameAt, packedAt } from "./frame-batch.ts";
import type { ObjectBuilder } from "./object-builder.ts";
import { type PartType, partType } from "./part.ts";
import type { SealHelpers } from "./seal-helpers.ts";
import {
  encodeTable,
  nowhere,
  type PagePlaces,
  pageCountOf,
  type SegmentCounts,
  type StoredRange,
} from "./segment-format.ts";
import { putForward, putFrame, putSlot, slotEntryBytes, slotKind } from "./slot-page.ts";

/** Where parts go. */
export type PartSink = Pick<ObjectBuilder, "addPart" | "addPacked" | "isFull" | "flush">;

/** Who compresses frames; so many batches may be under way. */
export type FramePacker = Pick<SealHelpers, "aheadCount" | "takeBatch" | "giveBatch" | "pack">;

/** What goes into a slot besides its bytes. */
export interface SlotFacts {
  readonly volumes: Uint32Array;
  /** 8 bytes each. */
  readonly checksums: Buffer;
}

/** What a segment keeps, in the order of its slots. */
export interface KeptList {
  readonly count: number;
  /** Of all of them, behind each other. */
  readonly fingerprints: Buffer;
  readonly slots: Uint16Array;
  add(slot: number, fingerprint: Buffer, start: number): void;
}

export class SegmentBuilder {
  readonly #sink: PartSink;
  readonly #kept: KeptList;
  readonly #entries: Buffer;
  readonly #packer: FramePacker;
  /** Being packed, in the order in which their frames are to lie in the object. */
  readonly #packing: { readonly batch: FrameBatch; readonly done: Promise<Error | undefined> }[] = [];
  #batch: FrameBatch;
  #slotCount = 0;
  #forwardCount = 0;
  #zeroCount = 0;
  #damagedCount = 0;
  #frameCount = 0;

  /** `kept` is empty; it and `entries`, which has room for every slot that comes, belong to this one until it is through. */
  constructor(sink: PartSink, kept: KeptList, entries: Buffer, packer: FramePacker) {
    assert(entries.length <= slotsPerSegment * slotEntryBytes, "a segment has so many slots");
    this.#packer = packer;
    this.#batch = packer.takeBatch();
    this.#sink = sink;
    this.#kept = kept;
    this.#entries = entries;
  }

  get counts(): SegmentCounts {
    return {
      slots: this.#slotCount,
      kept: this.#kept.count,
      forwards: this.#forwardCount,
      zeros: this.#zeroCount,
      damaged: this.#damagedCount,
      frames: this.#frameCount,
    };
  }

  addNone(): void {
    assert((this.#slotCount + 1) * slotEntryBytes <= this.#entries.length, "every slot has an entry");
    this.#entries.fill(0, this.#slotCount * slotEntryBytes, (this.#slotCount + 1) * slotEntryBytes);
    this.#slotCount++;
  }

  addZeros(facts: SlotFacts, index: number): void {
    this.#zeroCount++;
    this.#add(slotKind.zeros, facts, index);
  }

  addDamaged(facts: SlotFacts, index: number): void {
    this.#damagedCount++;
    this.#add(slotKind.damaged, facts, index);
  }

  addForward(facts: SlotFacts, index: number, address: number): void {
    this.#forwardCount++;
    putForward(this.#entries, this.#add(slotKind.forward, facts, index), address);
  }

  /** Before the next one a full frame has to be written. */
  addKept(facts: SlotFacts, index: number, blocks: Buffer, blockAt: number, fingerprints: Buffer, at: number): void {
    assert(!this.isFrameFull, "a frame has room for the block");
    this.#batch.add(this.#slotCount, blocks, blockAt);
    this.#kept.add(this.#slotCount, fingerprints, at);
    this.#add(slotKind.kept, facts, index);
  }

  get isFrameFull(): boolean {
    return this.#batch.openSlots.length === frameBlockCountMax;
  }

  #add(kind: number, { volumes, checksums }: SlotFacts, index: number): number {
    assert((this.#slotCount + 1) * slotEntryBytes <= this.#entries.length, "every slot has an entry");
    const start = this.#slotCount * slotEntryBytes;
    putSlot(this.#entries, start, kind, volumes[index] as number, checksums, index * 8);
    this.#slotCount++;
    return start;
  }

  async writeFrame(): Promise<void> {
    if (this.#batch.openSlots.length === 0) return;
    this.#batch.endFrame();
    this.#frameCount++;
    if (this.#batch.isFull) await this.#packBatch();
  }

  async #packBatch(): Promise<void> {
    const done = this.#packer.pack(this.#batch).then(
      () => undefined,
      (error: Error) => error,
    );
    this.#packing.push({ batch: this.#batch, done });
    this.#batch = this.#packer.takeBatch();
    if (this.#packing.length >= this.#packer.aheadCount) await this.#writeOldest();
  }

  async #writeOldest(): Promise<void> {
    const oldest = this.#packing.shift();
    assert(oldest !== undefined, "something is being packed");
    const { batch, done } = oldest;
    const error = await done;
    try {
      if (error !== undefined) throw error;
      for (let frame = 0; frame < batch.frameCount; frame++) await this.#writePacked(batch, frame);
    } finally {
      this.#packer.giveBatch(batch);
    }
  }

  async #writePacked(batch: FrameBatch, frame: number): Promise<void> {
    if (this.#sink.isFull) await this.#sink.flush();
    const slots = batch.slots[frame] as number[];
    const frameSlot = slots[0] as number;
    const place = this.#sink.addPacked(partType.frame, frameSlot, {
      bytes: batch.blocks,
      start: frameAt(frame),
      end: frameAt(frame) + batch.plainBytesOf(frame),
      packed: batch.packed,
      packedAt: packedAt(frame),
      packedBytes: batch.packedBytesOf(frame),
    });
    for (const [index, slot] of slots.entries()) {
      putFrame(this.#entries, slot * slotEntryBytes, place, frameSlot, index);
    }
  }

  /** The end, whether it was finished or given up: nothing of it is being worked on any more. */
  async settle(): Promise<void> {
    for (const { batch, done } of this.#packing.splice(0)) {
      await done;
      this.#packer.giveBatch(batch);
    }
    this.#packer.giveBatch(this.#batch);
  }

  /** Writes what is left, and the directory. Answers the table. */
  async finish(): Promise<Buffer> {
    await this.writeFrame();
    if (this.#batch.frameCount > 0) await this.#packBatch();
    while (this.#packing.length > 0) await this.#writeOldest();
    const pages: PagePlaces[] = [];
    let entry = 0;
    for (let page = 0; page < pageCountOf(this.#slotCount); page++) {
      const endSlot = Math.min((page + 1) * slotsPerPage, this.#slotCount);
      const slots = await this.#addPart(
        partType.slots,
        page,
        this.#entries,
        page * slotsPerPage * slotEntryBytes,
        endSlot * slotEntryBytes,
      );
      const firstEntry = entry;
      while (entry < this.#kept.count && (this.#kept.slots[entry] as number) < endSlot) entry++;
      pages.push({ slots, fingerprints: await this.#writeFingerprints(page, firstEntry, entry) });
    }
    return encodeTable(pages);
  }

  async #writeFingerprints(page: number, firstEntry: number, endEntry: number): Promise<StoredRange> {
    if (firstEntry === endEntry) return nowhere;
    return await this.#addPart(
      partType.fingerprints,
      page,
      this.#kept.fingerprints,
      firstEntry * fingerprintBytes,
      endEntry * fingerprintBytes,
    );
  }
  async #addPart(type: PartType, number: number, bytes: Buffer, start: number, end: number): Promise<StoredRange> {
    if (this.#sink.isFull) await this.#sink.flush();
    return this.#sink.addPart(type, number, bytes, start, end);
  }
}
