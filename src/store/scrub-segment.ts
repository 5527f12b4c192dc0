/**
 * Checks a sealed segment, all of it: every part's checksum, every block against its slot and its fingerprint, where forwards
 * lead, and whether footer, table and directory are of one segment. Since the numbers of the footer are all made anew from
 * parts that the key vouches for, a footer that somebody without the key has changed is found too.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, segmentOf, slotsPerSegment } from "#src/records/address.ts";
import type { DamagedBlocks } from "./damaged-blocks.ts";
import type { ObjectSource } from "./object-ends.ts";
import { objectHeaderBytes, objectKind } from "./object-format.ts";
import { AbsentObjectError } from "./objects.ts";
import { type PartPlace, partType, type WantedPart } from "./part.ts";
import { allSlots, Flaws, thingOfType } from "./scrub-flaws.ts";
import { type FoundContent, type ScrubMemory, ScrubSource } from "./scrub-source.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import {
  decodeSegmentCounts,
  decodeTable,
  encodeSegmentCounts,
  type PagePlaces,
  pageCountOf,
  type SegmentCounts,
  type SegmentIdentity,
  type StoredRange,
  segmentObjectName,
} from "./segment-format.ts";
import { SlotCursor } from "./slot-cursor.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  hasSlotChecksum,
  isSoundPage,
  placeInFrameAt,
  slotChecksumAt,
  slotEntryBytes,
  slotKind,
  slotKindAt,
} from "./slot-page.ts";
import type { Stray } from "./stray-forwards.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentCheckParts {
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  readonly fingerprints: Fingerprints;
  /** Where forwards lead. */
  readonly segments: SealedSegments;
  readonly damaged: DamagedBlocks;
  readonly memory: SegmentCheckMemory;
  readonly source: ScrubMemory;
}

/** What a check works with, used again for the next one; afterwards it has what is sound of the segment. */
export class SegmentCheckMemory {
  readonly entries = Buffer.alloc(slotsPerSegment * slotEntryBytes);
  /** Of each slot, where it keeps a block. */
  readonly fingerprints = Buffer.alloc(slotsPerSegment * fingerprintBytes);
  /** 1: the slot keeps a block, which is sound, and so is its fingerprint. */
  readonly isKeptSound = new Uint8Array(slotsPerSegment);
  readonly isPageSound = new Uint8Array(pageCountOf(slotsPerSegment));
  readonly hasFingerprints = new Uint8Array(pageCountOf(slotsPerSegment));
  readonly blockFingerprint = Buffer.alloc(fingerprintBytes);
}

interface OpenedSegment {
  readonly source: ScrubSource;
  readonly counts: SegmentCounts;
  readonly pages: readonly PagePlaces[];
}

interface FrameSlots {
  readonly range: StoredRange;
  readonly frameSlot: number;
  readonly slots: number[];
}

export class SegmentCheck {
  readonly #parts: SegmentCheckParts;
  readonly #identity: SegmentIdentity;
  readonly #control: WorkControl;
  readonly #flaws = new Flaws();
  /** What leads to nothing is not among the flaws: see `StrayForwards`. */
  readonly strays: Stray[] = [];
  readonly #found = { kept: 0, forwards: 0, zeros: 0, damaged: 0 };

  constructor(parts: SegmentCheckParts, identity: SegmentIdentity, control: WorkControl) {
    this.#parts = parts;
    this.#identity = identity;
    this.#control = control;
  }

  /** Rejects with an `AbsentObjectError` where it is not there any more. */
  async check(objects: ObjectSource): Promise<Flaws> {
    const { memory } = this.#parts;
    for (const flags of [memory.isKeptSound, memory.isPageSound, memory.hasFingerprints]) flags.fill(0);
    const opened = await this.#open(objects);
    if (opened === undefined) return this.#flaws;
    await this.#readDirectory(opened);
    const frames = this.#framesOf(opened.counts.slots);
    const areAllSound = !this.#flaws.has("slots");
    await this.#checkFrames(opened.source, frames);
    await this.#checkForwards(opened.counts.slots);
    if (areAllSound) this.#checkWhole(opened, frames);
    return this.#flaws;
  }

  async #open(objects: ObjectSource): Promise<OpenedSegment | undefined> {
    const { key, source: memory } = this.#parts;
    const { segment: number, generation } = this.#identity;
    const identity = { kind: objectKind.segment, group: undefined, number, generation };
    const name = segmentObjectName(this.#identity);
    try {
      const source = await ScrubSource.open(objects, { name, identity, key }, memory, this.#control);
      const counts = decodeSegmentCounts(source.ends.footer.kindNumbers, 0);
      const pages = counts === undefined ? undefined : decodeTable(source.ends.table, pageCountOf(counts.slots));
      if (counts !== undefined && pages !== undefined) return { source, counts, pages };
      this.#flaws.add("footer", "its numbers are none of this segment", { slots: allSlots });
    } catch (error) {
      this.#flaws.addError(error, { slots: allSlots });
    }
    return undefined;
  }

  async #readDirectory({ source, counts, pages }: OpenedSegment): Promise<void> {
    const slotsParts = pages.map(({ slots }, number) => ({ ...slots, type: partType.slots, number }));
    const fingerprintsParts = pages.flatMap(({ fingerprints }, number) =>
      fingerprints.storedBytes === 0 ? [] : [{ ...fingerprints, type: partType.fingerprints, number }],
    );
    // Both lie together, and those of a page behind what says how many it has.
    const inOrder = [...slotsParts, ...fingerprintsParts].sort((a, b) => a.offset - b.offset || a.type - b.type);
    const fingerprints = new Map<number, Buffer>();
    for await (const [part, found] of source.parts(inOrder)) {
      const content = this.#contentOf(part, found, counts.slots);
      if (content === undefined) continue;
      if (part.type === partType.slots) this.#takePage(part, content, counts.slots);
      else fingerprints.set(part.number ?? 0, Buffer.from(content));
    }
    for (let page = 0; page < pages.length; page++) this.#takeFingerprints(page, fingerprints.get(page), counts.slots);
  }

  /** Undefined: it is damaged, which is noted. */
  #contentOf(part: WantedPart, found: FoundContent, slotCount: number): Buffer | undefined {
    if ("content" in found) return found.content;
    const page = pageSlots(part.number ?? 0, slotCount);
    const { finding, isNotGiven } = found;
    this.#flaws.add(thingOfType(part.type), finding, { place: part, slots: [page], isNotGiven });
    return undefined;
  }

  #takePage({ number = 0 }: WantedPart, content: Buffer, slotCount: number): void {
    const page = pageSlots(number, slotCount);
    if (content.length !== page.count * slotEntryBytes || !isSoundPage(content, content.length)) {
      this.#flaws.add("slots", "they are none that this version writes", { slots: [page] });
      return;
    }
    this.#parts.memory.isPageSound[number] = 1;
    content.copy(this.#parts.memory.entries, page.slot * slotEntryBytes);
  }

  /** Each to its slot. */
  #takeFingerprints(page: number, content: Buffer | undefined, slotCount: number): void {
    const { memory } = this.#parts;
    if (memory.isPageSound[page] !== 1) return;
    const { slot: first, count } = pageSlots(page, slotCount);
    const kept: number[] = [];
    for (let slot = first; slot < first + count; slot++) if (this.#kindOf(slot) === slotKind.kept) kept.push(slot);
    const isThere = content !== undefined || kept.length === 0;
    if (content !== undefined && content.length !== kept.length * fingerprintBytes) {
      this.#flaws.add("fingerprints", "they are not those of its slots", { slots: [{ slot: first, count }] });
      return;
    }
    if (!isThere) {
      if (!this.#flaws.has("fingerprints")) this.#flaws.add("fingerprints", "the table does not say where they are");
      return;
    }
    memory.hasFingerprints[page] = 1;
    for (const [index, slot] of kept.entries()) {
      content?.copy(
        memory.fingerprints,
        slot * fingerprintBytes,
        index * fingerprintBytes,
        (index + 1) * fingerprintBytes,
      );
    }
  }

  #kindOf(slot: number): number {
    return slotKindAt(this.#parts.memory.entries, slot * slotEntryBytes);
  }

  /** Also counts what there is, and notes what is marked as damaged. */
  #framesOf(slotCount: number): FrameSlots[] {
    const { entries, isPageSound } = this.#parts.memory;
    const frames: FrameSlots[] = [];
    for (let slot = 0; slot < slotCount; slot++) {
      if (isPageSound[Math.floor(slot / slotsPerPage)] !== 1) continue;
      const kind = this.#kindOf(slot);
      if (kind === slotKind.zeros) this.#found.zeros++;
      else if (kind === slotKind.forward) this.#found.forwards++;
      else if (kind === slotKind.damaged) {
        this.#found.damaged++;
        const isWithoutSum = !hasSlotChecksum(entries, slot * slotEntryBytes);
        const finding = this.#markedWords(isWithoutSum);
        this.#flaws.add("sealed", finding, { slots: [{ slot, count: 1 }], isWithoutSum });
      } else if (kind === slotKind.kept) {
        this.#found.kept++;
        const range = frameAt(entries, slot * slotEntryBytes);
        const last = frames.at(-1);
        if (last?.range.offset === range.offset) last.slots.push(slot);
        else frames.push({ range, frameSlot: frameSlotAt(entries, slot * slotEntryBytes), slots: [slot] });
      }
    }
    return frames;
  }

  #markedWords(isWithoutSum: boolean): string {
    if (isWithoutSum) return "a disk had lost their checksums when they were sealed";
    return this.#identity.generation === 0
      ? "they were not what had been written when they were sealed"
      : "they were lost, when they were sealed or in the store";
  }

  async #checkFrames(source: ScrubSource, frames: readonly FrameSlots[]): Promise<void> {
    const byOffset = new Map(frames.map((frame) => [frame.range.offset, frame]));
    const parts: PartPlace[] = frames.map(({ range, frameSlot }) => ({
      ...range,
      type: partType.frame,
      number: frameSlot,
    }));
    for await (const [part, found] of source.parts(parts)) {
      const { slots } = byOffset.get(part.offset) as FrameSlots;
      if ("content" in found) this.#checkBlocks(found.content, slots);
      else {
        const { finding, isNotGiven } = found;
        const facts = { place: part, slots: slots.map((slot) => ({ slot, count: 1 })), isNotGiven };
        this.#flaws.add("frames", finding, facts);
      }
    }
  }

  #checkBlocks(content: Buffer, slots: readonly number[]): void {
    const { entries, isKeptSound, hasFingerprints } = this.#parts.memory;
    for (const slot of slots) {
      const entryAt = slot * slotEntryBytes;
      const start = placeInFrameAt(entries, entryAt) * blockBytes;
      const end = start + blockBytes;
      const isIt = end <= content.length && hasChecksum(content, start, end, entries, slotChecksumAt(entryAt));
      const page = Math.floor(slot / slotsPerPage);
      if (!isIt) {
        this.#flaws.add("blocks", "what is kept is not what the slot says", { slots: [{ slot, count: 1 }] });
      } else if (hasFingerprints[page] === 1) {
        if (this.#hasFingerprint(content, start, end, slot)) isKeptSound[slot] = 1;
        else this.#flaws.add("fingerprints", "one is not that of its block", { slots: [{ slot, count: 1 }] });
      }
    }
  }

  #hasFingerprint(content: Buffer, start: number, end: number, slot: number): boolean {
    const { blockFingerprint, fingerprints } = this.#parts.memory;
    this.#parts.fingerprints.put(content, start, end, blockFingerprint, 0);
    const at = slot * fingerprintBytes;
    return fingerprints.compare(blockFingerprint, 0, fingerprintBytes, at, at + fingerprintBytes) === 0;
  }

  async #checkForwards(slotCount: number): Promise<void> {
    const { entries, isPageSound } = this.#parts.memory;
    const cursor = new SlotCursor(this.#parts.segments);
    for (let slot = 0; slot < slotCount; slot++) {
      const isForward = isPageSound[Math.floor(slot / slotsPerPage)] === 1 && this.#kindOf(slot) === slotKind.forward;
      if (!isForward) continue;
      const address = forwardAt(entries, slot * slotEntryBytes);
      const isOwn = segmentOf(address) === this.#identity.segment;
      const found = isOwn ? this.#ownFinding(slot, address) : await this.#forwardFinding(cursor, slot, address);
      if (found === undefined) continue;
      const finding = `one leads to ${found.what}slot ${address % slotsPerSegment} of segment ${segmentOf(address)}${found.but}`;
      if (found.isStray) this.strays.push({ slot, finding });
      else this.#flaws.add("forwards", finding, { slots: [{ slot, count: 1 }] });
    }
  }

  async #forwardFinding(cursor: SlotCursor, slot: number, address: number): Promise<ForwardFinding | undefined> {
    const { memory, damaged } = this.#parts;
    try {
      if (damaged.isUnreadable(address)) return leadsToDamage;
      const kept = cursor.near(address) ?? (await cursor.find(address));
      if (kept === undefined) return leadsNowhere;
      const kind = slotKindAt(kept.page, kept.start);
      if (kind !== slotKind.kept) return kind === slotKind.damaged ? leadsToDamage : leadsToNothing;
      const at = slotChecksumAt(slot * slotEntryBytes);
      return memory.entries.compare(kept.page, kept.start, kept.start + 8, at, at + 8) === 0
        ? undefined
        : leadsToAnother;
    } catch (error) {
      if (error instanceof StopError) return leadsToUnreadable;
      if (error instanceof AbsentObjectError) return leadsNowhere;
      throw error;
    }
  }

  /** Its own blocks were checked before. */
  #ownFinding(slot: number, address: number): ForwardFinding | undefined {
    const { entries, isPageSound, isKeptSound, hasFingerprints } = this.#parts.memory;
    const target = address % slotsPerSegment;
    const page = Math.floor(target / slotsPerPage);
    if (isPageSound[page] !== 1) return leadsToUnreadable;
    const kind = this.#kindOf(target);
    if (kind !== slotKind.kept) return kind === slotKind.damaged ? leadsToDamage : leadsToNothing;
    const [at, targetAt] = [slotChecksumAt(slot * slotEntryBytes), slotChecksumAt(target * slotEntryBytes)];
    if (entries.compare(entries, targetAt, targetAt + 8, at, at + 8) !== 0) return leadsToAnother;
    return isKeptSound[target] === 1 || hasFingerprints[page] !== 1 ? undefined : leadsToDamage;
  }

  /** Whether all of it is of one segment, and nothing of it is left over. */
  #checkWhole({ source, counts, pages }: OpenedSegment, frames: readonly FrameSlots[]): void {
    const { kept, forwards, zeros, damaged } = this.#found;
    const found = { slots: counts.slots, kept, forwards, zeros, damaged, frames: frames.length };
    const areRight = encodeSegmentCounts(found).equals(encodeSegmentCounts(counts));
    if (!areRight) this.#flaws.add("footer", "its numbers are not those of its slots");
    const ranges = [...frames.map(({ range }) => range), ...pages.flatMap((page) => [page.slots, page.fingerprints])];
    let end = objectHeaderBytes;
    for (const { offset, storedBytes } of ranges.sort((a, b) => a.offset - b.offset)) {
      if (storedBytes === 0) continue;
      if (offset !== end) return this.#flaws.add("table", "there is something that no slot speaks of");
      end = offset + storedBytes;
    }
    if (end !== source.ends.footer.tableAt) this.#flaws.add("table", "there is something that no slot speaks of");
  }
}

function pageSlots(page: number, slotCount: number): { slot: number; count: number } {
  const slot = page * slotsPerPage;
  return { slot, count: Math.min(slotsPerPage, slotCount - slot) };
}

interface ForwardFinding {
  /** In words, before and behind the place where it leads. */
  readonly what: string;
  readonly but: string;
  /** It may be that nobody needs it. */
  readonly isStray: boolean;
}

const leadsToDamage = { what: "a damaged block, ", but: "", isStray: false };
const leadsToAnother = { what: "another block, ", but: "", isStray: false };
const leadsToUnreadable = { what: "", but: ", of which nothing can be read", isStray: false };
const leadsToNothing = { what: "", but: ", which keeps nothing", isStray: true };
const leadsNowhere = { what: "", but: ", which the store has not", isStray: true };

/** What the check before found sound, page by page, as the index is told of it. */
export function* soundPages(memory: SegmentCheckMemory, segment: number): Generator<SoundPage> {
  for (let page = 0; page < memory.isPageSound.length; page++) {
    if (memory.isPageSound[page] !== 1) continue;
    const sound: number[] = [];
    for (let slot = page * slotsPerPage; slot < (page + 1) * slotsPerPage; slot++) {
      if (memory.isKeptSound[slot] === 1) sound.push(slot);
    }
    if (sound.length === 0) continue;
    const fingerprints = Buffer.alloc(sound.length * fingerprintBytes);
    for (const [index, slot] of sound.entries()) {
      const at = slot * fingerprintBytes;
      memory.fingerprints.copy(fingerprints, index * fingerprintBytes, at, at + fingerprintBytes);
    }
    yield {
      count: sound.length,
      fingerprints,
      addresses: Float64Array.from(sound, (slot) => addressOf(segment, slot)),
    };
  }
}

export interface SoundPage {
  readonly count: number;
  readonly fingerprints: Buffer;
  readonly addresses: Float64Array;
}
