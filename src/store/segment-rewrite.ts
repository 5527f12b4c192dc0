/**
 * Writes a segment's next generation: without the slots that nothing needs any more, and with sound blocks where some were
 * damaged. Every other slot stays what it is, at its address: what is kept is checked and kept, a forward leads where it
 * led, zeros are zeros.
 *
 * Invariants:
 *   a slot that is not dropped has the same checksum and volume as before;
 *   a block is kept in the new generation only if it has the checksum and the fingerprint that the old one says;
 *   what is not what was written, and is not replaced, stays in its slot as damaged, or nothing is written at all;
 *   what the disk does not give, and is not replaced, is never written as damaged: the disk may give it yet.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { Clock } from "#src/host/clock.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { addressOf } from "#src/records/address.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { KeptBlock } from "./kept-block.ts";
import { KeptRow } from "./kept-row.ts";
import { ObjectBuilder } from "./object-builder.ts";
import { ObjectDamageError } from "./object-damage.ts";
import type { ObjectSource } from "./object-ends.ts";
import { objectKind } from "./object-format.ts";
import type { Objects } from "./objects.ts";
import { PacedBytes } from "./paced-bytes.ts";
import { PageFrames } from "./page-frames.ts";
import { partType } from "./part.ts";
import { ownHelpers } from "./seal-helpers.ts";
import { SegmentBuilder, type SlotFacts } from "./segment-builder.ts";
import { SegmentDirectory } from "./segment-directory.ts";
import { SegmentFile } from "./segment-file.ts";
import type { KeptFingerprints } from "./segment-fingerprints.ts";
import {
  encodeSegmentCounts,
  generationMax,
  type SegmentCounts,
  type SegmentIdentity,
  segmentObjectName,
} from "./segment-format.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  placeInFrameAt,
  slotChecksumAt,
  slotEntryBytes,
  slotKind,
  slotKindAt,
  slotVolumeAt,
} from "./slot-page.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentRewriteParts {
  readonly objects: ObjectSource & Pick<Objects, "create">;
  /** Undefined: the store is not encrypted. */
  readonly key: Buffer | undefined;
  readonly fingerprints: Fingerprints;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export interface SegmentChange {
  /** Of slots that nothing needs any more. */
  readonly isDropped: (slot: number) => boolean;
  /**
   * The block for a slot, where there is one: asked of those that were damaged when they were sealed, of kept ones that
   * cannot be read, and of forwards. Its memory is the writer's until the next question. One that does not fit the slot is
   * not taken.
   */
  readonly replacement?: (slot: number) => Promise<Buffer | undefined>;
  /**
   * A kept block that is not what was written, and is not replaced: whether to write on, with its slot damaged, or to give
   * up. Where the disk does not give it, it is given up for now in any case.
   */
  readonly ifUnreadable: "markDamaged" | "refuse";
}

export interface RewrittenSegment {
  /** The new generation's. */
  readonly identity: SegmentIdentity;
  readonly counts: SegmentCounts;
  readonly objectBytes: number;
  /** What the new generation keeps, and the old one did not. */
  readonly added: KeptFingerprints;
  /** Slots that are damaged now, and were kept before. */
  readonly lostSlots: readonly number[];
}

/**
 * The new generation is there, whole and durable, when this resolves. If it rejects it may be there nevertheless, or come to
 * be there later: see `ObjectWriter`. Rejects with an `ObjectDamageError` where it gives up, with a `RetryError` where
 * damage may be marked and the disk does not give a block, with a `StopError` where the directory cannot be read, with a
 * `RefuseError` where the new generation is there already.
 *
 * Memory: 8 MiB while it is under way.
 */
export async function rewriteSegment(
  parts: SegmentRewriteParts,
  from: SegmentIdentity,
  toGeneration: number,
  change: SegmentChange,
  control: WorkControl,
): Promise<RewrittenSegment> {
  assert(toGeneration > from.generation && toGeneration <= generationMax, "a segment has so many generations");
  const { objects, key, randomness, clock } = parts;
  const file = await SegmentFile.open(objects, from, key);
  const identity = { segment: from.segment, generation: toGeneration };
  const { group, level } = file.file.header;
  const facts = { kind: objectKind.segment, number: from.segment, generation: toGeneration, group, level };
  const builder = new ObjectBuilder(objects.create(segmentObjectName(identity)), { facts, randomness, key });
  try {
    const rewrite = new SegmentRewrite(parts, from, file, change, control, builder);
    const table = await rewrite.writeSlots();
    const kindNumbers = encodeSegmentCounts(rewrite.counts);
    await builder.finish({ table, kindNumbers, timeMicros: Math.round(clock.wallMs() * 1000) });
    const { counts, added, lostSlots } = rewrite;
    return { identity, counts, objectBytes: builder.sizeBytes, added, lostSlots };
  } catch (error) {
    await builder.abandon();
    throw error;
  }
}

class SegmentRewrite {
  readonly #fingerprints: Fingerprints;
  readonly #from: SegmentIdentity;
  readonly #directory: SegmentDirectory;
  readonly #change: SegmentChange;
  readonly #control: WorkControl;
  readonly #paced: PacedBytes;
  readonly #object: ObjectBuilder;
  readonly #builder: SegmentBuilder;
  readonly #kept: KeptRow;
  readonly #frames = new PageFrames();
  readonly #again = new KeptBlock();
  readonly #page = new PageFacts();
  readonly #fingerprint = Buffer.alloc(fingerprintBytes);
  readonly #addedFingerprints: Buffer[] = [];
  readonly #addedSlots: number[] = [];
  readonly lostSlots: number[] = [];
  #pacedBytes = 0;

  constructor(
    { fingerprints }: SegmentRewriteParts,
    from: SegmentIdentity,
    file: SegmentFile,
    change: SegmentChange,
    control: WorkControl,
    object: ObjectBuilder,
  ) {
    this.#fingerprints = fingerprints;
    this.#from = from;
    this.#directory = new SegmentDirectory(from, file, new BoundedCache(pageCacheBytes), 0);
    this.#change = change;
    this.#control = control;
    this.#paced = new PacedBytes(control);
    this.#object = object;
    const entries = Buffer.alloc(file.counts.slots * slotEntryBytes);
    this.#kept = new KeptRow(file.counts.slots);
    this.#builder = new SegmentBuilder(object, this.#kept, entries, ownHelpers(fingerprints));
  }

  get counts(): SegmentCounts {
    return this.#builder.counts;
  }

  get added(): KeptFingerprints {
    const addresses = Float64Array.from(this.#addedSlots, (slot) => addressOf(this.#from.segment, slot));
    return { count: addresses.length, fingerprints: Buffer.concat(this.#addedFingerprints), addresses };
  }

  /** Answers the table. */
  async writeSlots(): Promise<Buffer> {
    for (let page = 0; page < this.#directory.pageCount; page++) {
      this.#control.throwIfCancelled();
      await this.#writePage(page);
      await this.#keepPace();
    }
    const table = await this.#builder.finish();
    await this.#keepPace();
    return table;
  }

  async #writePage(number: number): Promise<void> {
    const page = await this.#directory.slots(number);
    const fingerprints = await this.#directory.fingerprints(number);
    const firstSlot = number * slotsPerPage;
    const isWanted = (slot: number) => !this.#change.isDropped(slot);
    this.#page.set(page);
    this.#frames.begin(this.#directory.object, page, firstSlot, isWanted);
    let keptCount = 0;
    for (let start = 0; start < page.length; start += slotEntryBytes) {
      const slot = firstSlot + start / slotEntryBytes;
      const kind = slotKindAt(page, start);
      const fingerprint = kind === slotKind.kept ? fingerprintOf(fingerprints, keptCount++) : undefined;
      if (isWanted(slot)) await this.#writeSlot(slot, page, start, fingerprint);
      else this.#builder.addNone();
      if (this.#builder.isFrameFull) await this.#builder.writeFrame();
    }
  }

  async #writeSlot(slot: number, page: Buffer, start: number, fingerprint: Buffer | undefined): Promise<void> {
    const index = start / slotEntryBytes;
    const kind = slotKindAt(page, start);
    if (kind === slotKind.none) this.#builder.addNone();
    else if (kind === slotKind.zeros) this.#builder.addZeros(this.#page, index);
    else if (fingerprint !== undefined) await this.#writeKept(slot, page, start, fingerprint);
    else if (await this.#putReplacement(slot, page, start, undefined)) this.#noteAdded(slot);
    else if (kind === slotKind.forward) this.#builder.addForward(this.#page, index, forwardAt(page, start));
    else this.#builder.addDamaged(this.#page, index);
  }

  async #writeKept(slot: number, page: Buffer, start: number, fingerprint: Buffer): Promise<void> {
    const index = start / slotEntryBytes;
    const frame = await this.#frames.frame(frameAt(page, start).offset);
    const blockAt = placeInFrameAt(page, start) * blockBytes;
    if (frame !== undefined && this.#isSound(frame, blockAt, page, start, fingerprint)) {
      this.#builder.addKept(this.#page, index, frame, blockAt, fingerprint, 0);
      return;
    }
    if (await this.#putReplacement(slot, page, start, fingerprint)) return;
    if (this.#change.ifUnreadable === "refuse") throw this.#unreadable(page, start);
    const found = await this.#readAgain(slot, page, start);
    if (found !== undefined && this.#isSound(found, 0, page, start, fingerprint)) {
      this.#builder.addKept(this.#page, index, found, 0, fingerprint, 0);
      return;
    }
    this.#builder.addDamaged(this.#page, index);
    this.lostSlots.push(slot);
  }

  /** Before it is given up. Undefined: what lies there is not what was written. */
  async #readAgain(slot: number, page: Buffer, start: number): Promise<Buffer | undefined> {
    try {
      return await this.#again.read(this.#directory, page, start);
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      const name = segmentObjectName(this.#from);
      throw new RetryError(`the disk does not give slot ${slot} of ${name} now`, { cause: error });
    }
  }

  /** `fingerprint`: what is known of the block; undefined: its checksum alone. Answers whether there is one that fits. */
  async #putReplacement(slot: number, page: Buffer, start: number, fingerprint: Buffer | undefined): Promise<boolean> {
    const block = await this.#change.replacement?.(slot);
    if (block?.length !== blockBytes || !this.#isSound(block, 0, page, start, fingerprint)) return false;
    this.#builder.addKept(this.#page, start / slotEntryBytes, block, 0, this.#fingerprint, 0);
    return true;
  }

  /** Afterwards it is known by which fingerprint. */
  #isSound(block: Buffer, at: number, page: Buffer, start: number, fingerprint: Buffer | undefined): boolean {
    const end = at + blockBytes;
    if (end > block.length || !hasChecksum(block, at, end, page, slotChecksumAt(start))) return false;
    this.#fingerprints.put(block, at, end, this.#fingerprint, 0);
    return fingerprint === undefined || this.#fingerprint.equals(fingerprint);
  }

  #noteAdded(slot: number): void {
    this.#addedSlots.push(slot);
    this.#addedFingerprints.push(Buffer.from(this.#fingerprint));
  }

  #unreadable(page: Buffer, start: number): ObjectDamageError {
    const thing = { ...frameAt(page, start), type: partType.frame, number: frameSlotAt(page, start) };
    return new ObjectDamageError(segmentObjectName(this.#from), thing, "a block of it is not what it was");
  }

  async #keepPace(): Promise<void> {
    const writtenBytes = this.#object.sizeBytes - this.#pacedBytes;
    this.#pacedBytes += writtenBytes;
    await this.#paced.add(this.#frames.takeReadBytes() + writtenBytes);
  }
}

const pageCacheBytes = 4 * slotsPerPage * fingerprintBytes;

/** What a page says of its slots, as whoever writes slots wants it. */
class PageFacts implements SlotFacts {
  readonly volumes = new Uint32Array(slotsPerPage);
  readonly checksums = Buffer.alloc(slotsPerPage * checksumBytes);

  set(page: Buffer): void {
    for (let start = 0, index = 0; start < page.length; start += slotEntryBytes, index++) {
      this.volumes[index] = slotVolumeAt(page, start);
      const at = slotChecksumAt(start);
      page.copy(this.checksums, index * checksumBytes, at, at + checksumBytes);
    }
  }
}

function fingerprintOf(fingerprints: Buffer, index: number): Buffer {
  return fingerprints.subarray(index * fingerprintBytes, (index + 1) * fingerprintBytes);
}
