/**
 * Makes a sealed segment out of its slots, given one after the other: frames as they fill up, then the directory.
 *
 * Invariants: every slot is given once, in order; an entry of a kept block gets its frame's place before the pages are
 * written; frames hold kept blocks in the order of their slots.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax, slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import type { KeptBlocks } from "./kept-blocks.ts";
import type { ObjectBuilder } from "./object-builder.ts";
import { type PartType, partType } from "./part.ts";
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
export type PartSink = Pick<ObjectBuilder, "addPart" | "isFull" | "flush">;

/** What goes into a slot besides its bytes. */
export interface SlotFacts {
  readonly volumes: Uint32Array;
  /** 8 bytes each. */
  readonly checksums: Buffer;
}

export class SegmentBuilder {
  readonly #sink: PartSink;
  readonly #kept: KeptBlocks;
  readonly #entries: Buffer;
  readonly #frame = Buffer.alloc(frameBlockCountMax * blockBytes);
  readonly #frameSlots: number[] = [];
  #slotCount = 0;
  #forwardCount = 0;
  #zeroCount = 0;
  #damagedCount = 0;
  #frameCount = 0;

  /** `kept` is empty; it and `entries` belong to this one until it is through. */
  constructor(sink: PartSink, kept: KeptBlocks, entries: Buffer) {
    assert(entries.length === slotsPerSegment * slotEntryBytes, "every slot has an entry");
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

  /** The block's fingerprint is not among the kept ones yet. Before the next one a full frame has to be written. */
  addKept(facts: SlotFacts, index: number, blocks: Buffer, blockAt: number, fingerprints: Buffer, at: number): void {
    assert(!this.isFrameFull, "a frame has room for the block");
    blocks.copy(this.#frame, this.#frameSlots.length * blockBytes, blockAt, blockAt + blockBytes);
    this.#frameSlots.push(this.#slotCount);
    this.#kept.add(this.#slotCount, fingerprints, at);
    this.#add(slotKind.kept, facts, index);
  }

  get isFrameFull(): boolean {
    return this.#frameSlots.length === frameBlockCountMax;
  }

  #add(kind: number, { volumes, checksums }: SlotFacts, index: number): number {
    assert(this.#slotCount < slotsPerSegment, "a segment has so many slots");
    const start = this.#slotCount * slotEntryBytes;
    putSlot(this.#entries, start, kind, volumes[index] as number, checksums, index * 8);
    this.#slotCount++;
    return start;
  }

  async writeFrame(): Promise<void> {
    const slots = this.#frameSlots;
    if (slots.length === 0) return;
    const frameSlot = slots[0] as number;
    const place = await this.#addPart(partType.frame, frameSlot, this.#frame, 0, slots.length * blockBytes);
    for (const [index, slot] of slots.entries()) {
      putFrame(this.#entries, slot * slotEntryBytes, place, frameSlot, index);
    }
    this.#frameCount++;
    slots.length = 0;
  }

  /** Writes what is left, and the directory. Answers the table. */
  async finish(): Promise<Buffer> {
    await this.writeFrame();
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
