/**
 * The data segments of a store: sealed into it, and read from it. One process writes; what it seals the index learns.
 *
 * Invariants: an object that is there is never written again; the index hears of a segment only when its object is there.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import { BlockReader } from "./block-reader.ts";
import type { FingerprintIndex } from "./fingerprint-index.ts";
import { ObjectBuilder } from "./object-builder.ts";
import { objectKind } from "./object-format.ts";
import { AbsentObjectError, type Objects } from "./objects.ts";
import { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { SegmentFile } from "./segment-file.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "./segment-fingerprints.ts";
import { encodeSegmentCounts, type SegmentCounts, type SegmentIdentity, segmentObjectName } from "./segment-format.ts";
import { type ClosedSegment, SealMemory, sealSegment } from "./segment-seal.ts";
import { slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";
import { VerifiedIndex } from "./verified-index.ts";

export interface SegmentStoreParts {
  readonly objects: Objects;
  readonly index: FingerprintIndex;
  readonly fingerprints: Fingerprints;
  /** Undefined: the store is not encrypted. */
  readonly key: Buffer | undefined;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
}

/** Of which group's data journal a segment is, and at which level. */
export interface SegmentOrigin {
  readonly group: string;
  readonly level: number;
}

/** What has been sealed since the start. */
export interface SealFigures {
  readonly segmentCount: number;
  /** Of blocks that were sealed. */
  readonly logicalBytes: number;
  /** Of blocks that are kept. */
  readonly uniqueBytes: number;
  /** Of the objects. */
  readonly physicalBytes: number;
  readonly damagedBlocks: number;
}

export class SegmentStore {
  readonly segments: SealedSegments;
  readonly reader: BlockReader;
  readonly #parts: SegmentStoreParts;
  readonly #known: VerifiedIndex;
  readonly #memory = new SealMemory();
  readonly #addresses = new Float64Array(slotsPerSegment);
  #isSealing = false;
  #figures: SealFigures = { segmentCount: 0, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 0, damagedBlocks: 0 };

  private constructor(parts: SegmentStoreParts, segments: SealedSegments) {
    this.#parts = parts;
    this.segments = segments;
    this.reader = new BlockReader(segments);
    this.#known = new VerifiedIndex(parts.index, segments);
  }

  /** Looks what is there; what the index lacks of it is for `catchUp`. */
  static async open(parts: SegmentStoreParts): Promise<SegmentStore> {
    const { objects, key } = parts;
    return new SegmentStore(
      parts,
      await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, key)),
    );
  }

  get figures(): SealFigures {
    return this.#figures;
  }

  /** The index learns what it lacks, from the directories. Until then sealing keeps blocks that the store has already. */
  async catchUp(): Promise<void> {
    const { index, log } = this.#parts;
    const missing = await index.missing([...this.segments.identities()]);
    if (missing.length === 0) return;
    log.info("the index of the store is brought up to date", { segments: missing.length });
    const done = await index.rebuild(this.#fingerprintsOf(missing), () => {});
    try {
      await index.flush();
    } catch (error) {
      // It is tried again with what is added next; until then what was taken in is in memory.
      if (!(error instanceof RetryError)) throw error;
      log.warn("the index of the store is not durable yet", { error });
    }
    log.info("the index of the store is up to date", {
      segments: done.segmentCount,
      fingerprints: done.fingerprintCount,
      unreadable: done.unreadable.length,
    });
  }

  async *#fingerprintsOf(names: readonly SegmentName[]): AsyncGenerator<SegmentFingerprints> {
    for (const name of names) yield { ...name, pieces: this.#keptOf(name.segment) };
  }

  async *#keptOf(segment: number): AsyncGenerator<KeptFingerprints> {
    const directory = await this.segments.directory(segment);
    for (let page = 0; page < directory.pageCount; page++) yield await keptOfPage(directory, page);
  }

  /** One at a time. Nothing happens where the store has it. Throws a `StopError` where what it has is another one. */
  async seal(source: ClosedSegment, origin: SegmentOrigin): Promise<void> {
    assert(!this.#isSealing, "one segment is sealed after the other");
    if (source.slotCount === 0) return;
    const identity = { segment: source.segment, generation: 0 };
    if (this.segments.has(source.segment)) return await this.#assertSame(identity, source, origin);
    this.#isSealing = true;
    try {
      // Whoever asks may have been killed, or been told that it failed, when the object was there or on its way.
      if (await this.#isThere(identity)) await this.#adopt(identity, source, origin);
      else await this.#seal(source, origin, identity);
    } finally {
      this.#isSealing = false;
    }
  }

  async #isThere(identity: SegmentIdentity): Promise<boolean> {
    try {
      await this.#parts.objects.sizeBytes(segmentObjectName(identity));
      return true;
    } catch (error) {
      if (error instanceof AbsentObjectError) return false;
      throw error;
    }
  }

  /** Who hears that it is there removes what he has: so it has to be his, and to be read at least at its ends. */
  async #assertSame(identity: SegmentIdentity, source: ClosedSegment, { group }: SegmentOrigin): Promise<void> {
    const { file, counts } = await SegmentFile.open(this.#parts.objects, identity, this.#parts.key);
    if (file.header.group === group && counts.slots >= source.slotCount) return;
    const found = `one of group ${file.header.group} with ${counts.slots} slots`;
    throw new StopError(`${file.name} is ${found}, and not that of group ${group} with ${source.slotCount}`);
  }

  async #adopt(identity: SegmentIdentity, source: ClosedSegment, origin: SegmentOrigin): Promise<void> {
    await this.#assertSame(identity, source, origin);
    this.segments.published(identity);
    await this.catchUp();
  }

  async #seal(source: ClosedSegment, origin: SegmentOrigin, identity: SegmentIdentity): Promise<void> {
    const { objects, key, randomness, fingerprints, clock, index } = this.#parts;
    const facts = { kind: objectKind.segment, number: source.segment, generation: 0, ...origin };
    const builder = new ObjectBuilder(objects.create(segmentObjectName(identity)), { facts, randomness, key });
    let counts: SegmentCounts;
    try {
      const parts = { source, sink: builder, known: this.#known, fingerprints, memory: this.#memory };
      const sealed = await sealSegment(parts);
      counts = sealed.counts;
      const kindNumbers = encodeSegmentCounts(counts);
      await builder.finish({ table: sealed.table, kindNumbers, timeMicros: Math.round(clock.wallMs() * 1000) });
    } catch (error) {
      await builder.abandon();
      if (error instanceof RefuseError && (await this.#isThere(identity))) {
        return await this.#adopt(identity, source, origin);
      }
      throw error;
    }
    this.segments.published(identity);
    this.#count(counts, builder.sizeBytes);
    await index.add(identity, this.#keptNow(source.segment));
  }

  #keptNow(segment: number): KeptFingerprints {
    const { count, fingerprints, slots } = this.#memory.kept;
    for (let entry = 0; entry < count; entry++) {
      this.#addresses[entry] = addressOf(segment, slots[entry] as number);
    }
    return { count, fingerprints, addresses: this.#addresses };
  }

  #count(counts: SegmentCounts, objectBytes: number): void {
    const { segmentCount, logicalBytes, uniqueBytes, physicalBytes, damagedBlocks } = this.#figures;
    const blocks = counts.kept + counts.forwards + counts.zeros;
    this.#figures = {
      segmentCount: segmentCount + 1,
      logicalBytes: logicalBytes + blocks * blockBytes,
      uniqueBytes: uniqueBytes + counts.kept * blockBytes,
      physicalBytes: physicalBytes + objectBytes,
      damagedBlocks: damagedBlocks + counts.damaged,
    };
  }
}

async function keptOfPage(directory: SegmentDirectory, page: number): Promise<KeptFingerprints> {
  const slots = await directory.slots(page);
  const fingerprints = await directory.fingerprints(page);
  const count = fingerprints.length / fingerprintBytes;
  const addresses = new Float64Array(count);
  let entry = 0;
  for (let start = 0; start < slots.length; start += slotEntryBytes) {
    if (slotKindAt(slots, start) !== slotKind.kept) continue;
    addresses[entry++] = addressOf(directory.identity.segment, page * slotsPerPage + start / slotEntryBytes);
  }
  return { count, fingerprints, addresses };
}
