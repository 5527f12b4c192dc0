/**
 * The data segments of a store: sealed into it, and read from it. One process writes; what it seals the index learns.
 *
 * Invariants: an object that is there is never written again; the index hears of a segment only when its object is there;
 * whoever asked for it to be sealed hears that it is only when it was read back.
 */

import { assert } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage, successorAttemptsMax, workPieceBytes } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Fingerprints } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { addressOf, holeAddress, slotsPerSegment } from "#src/records/address.ts";
import { BlockReader } from "./block-reader.ts";
import { DamagedBlocks } from "./damaged-blocks.ts";
import { areForwardsAnswered, keptOfPage, keptSlotsOf } from "./directory-walk.ts";
import { DyingBlocks } from "./dying-blocks.ts";
import type { FingerprintIndex, RebuildProgress } from "./fingerprint-index.ts";
import { ObjectBuilder } from "./object-builder.ts";
import { objectKind } from "./object-format.ts";
import { isObjectThere, unlessUnreadable } from "./object-presence.ts";
import type { Objects } from "./objects.ts";
import { readBack } from "./read-back.ts";
import { ownHelpers, type SealHelpers } from "./seal-helpers.ts";
import { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { SegmentFile } from "./segment-file.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "./segment-fingerprints.ts";
import { encodeSegmentCounts, type SegmentCounts, type SegmentIdentity, segmentObjectName } from "./segment-format.ts";
import { type ClosedSegment, type KnownBlocks, SealMemory, type SealParts, sealSegment } from "./segment-seal.ts";
import { slotEntryBytes } from "./slot-page.ts";
import { slotOfAnother } from "./source-match.ts";
import { VerifiedIndex } from "./verified-index.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentStoreParts {
  readonly objects: Objects;
  readonly index: FingerprintIndex;
  readonly fingerprints: Fingerprints;
  /** Who does a part of the work of sealing; undefined: whoever seals does all of it. */
  readonly helpers?: SealHelpers | undefined;
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
  /** Whoever finds damage says so here. */
  readonly damaged = new DamagedBlocks();
  /** Whoever is going to remove blocks says so here. */
  readonly dying = new DyingBlocks();
  readonly #parts: SegmentStoreParts;
  readonly #known: VerifiedIndex;
  readonly #memory = new SealMemory();
  readonly #addresses = new Float64Array(slotsPerSegment);
  #sealing: Promise<void> | undefined;
  #fingerprintCount = 0;
  #figures: SealFigures = { segmentCount: 0, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 0, damagedBlocks: 0 };

  private constructor(parts: SegmentStoreParts, segments: SealedSegments) {
    this.#parts = parts;
    this.segments = segments;
    this.reader = new BlockReader(segments);
    this.#known = new VerifiedIndex(parts.index, segments, this.damaged, this.dying);
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

  /** Of blocks that were sealed. */
  get fingerprintCount(): number {
    return this.#fingerprintCount;
  }

  /** What the index lacks: until it has learnt it, sealing keeps blocks that the store has already. */
  missing(): Promise<SegmentName[]> {
    return this.#parts.index.missing([...this.segments.identities()]);
  }

  /** The index learns what it lacks, from the directories. */
  async catchUp(control?: WorkControl): Promise<RebuildProgress> {
    const { index, log } = this.#parts;
    const missing = await this.missing();
    if (missing.length === 0) return { segmentCount: 0, fingerprintCount: 0, unreadable: [] };
    log.info("the index of the store is brought up to date", { segments: missing.length });
    const what = "reads directories into the index";
    control?.progress({ done: 0, total: missing.length, unit: "segments", what });
    const done = await index.rebuild(this.#fingerprintsOf(missing, control), ({ segmentCount, unreadable }) =>
      control?.progress({ done: segmentCount + unreadable.length, total: missing.length, unit: "segments", what }),
    );
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
    return done;
  }

  async *#fingerprintsOf(names: readonly SegmentName[], control?: WorkControl): AsyncGenerator<SegmentFingerprints> {
    for (const name of names) yield { ...name, pieces: this.#keptOf(name.segment, control) };
  }

  async *#keptOf(segment: number, control?: WorkControl): AsyncGenerator<KeptFingerprints> {
    const directory = await this.segments.directory(segment);
    let unpacedBytes = 0;
    for (let page = 0; page < directory.pageCount; page++) {
      const kept = await keptOfPage(directory, page, this.dying);
      yield kept;
      unpacedBytes += kept.fingerprints.length + slotsPerPage * slotEntryBytes;
      if (unpacedBytes < workPieceBytes && page < directory.pageCount - 1) continue;
      await control?.pace(unpacedBytes);
      unpacedBytes = 0;
    }
  }

  /** One at a time. Nothing happens where the store has it. Throws a `StopError` where what it has is another one. */
  async seal(source: ClosedSegment, origin: SegmentOrigin): Promise<void> {
    assert(this.#sealing === undefined, "one segment is sealed after the other");
    if (source.slotCount === 0) return;
    const sealing = this.#sealUnlessThere(source, origin).finally(() => {
      this.#sealing = undefined;
    });
    this.#sealing = sealing;
    await sealing;
  }

  /** What is being sealed now is sealed when this resolves, or is not going to be by whoever does it now. */
  async presentSealOver(): Promise<void> {
    // What came of it is for the one who asked for it.
    await this.#sealing?.catch(() => {});
  }

  async #sealUnlessThere(source: ClosedSegment, origin: SegmentOrigin): Promise<void> {
    const { segment } = source;
    const generation = this.segments.generationOf(segment);
    // What was known of it when it was last looked who needs what stays.
    if (generation !== undefined) {
      const directory = await this.#sameOne({ segment, generation }, source, origin);
      return await this.#takeOver(directory, source, origin, stays);
    }
    // Whoever asks may have been killed, or been told that it failed, when the object was there or on its way.
    const identity = { segment, generation: 0 };
    if (await this.#isThere(identity)) await this.#adopt(identity, source, origin);
    else await this.#seal(source, origin, identity, { known: this.#known });
  }

  #isThere(identity: SegmentIdentity): Promise<boolean> {
    return isObjectThere(this.#parts.objects, segmentObjectName(identity));
  }

  async #adopt(identity: SegmentIdentity, source: ClosedSegment, origin: SegmentOrigin): Promise<void> {
    const directory = await this.#sameOne(identity, source, origin);
    this.segments.published(identity);
    await this.#takeOver(directory, source, origin, this.dying);
    await this.catchUp();
  }

  /**
   * Who hears that it is there removes what he has. So it has to be his; and where it came to be there unseen, after
   * somebody was told that it had failed, what it points to may have been collected: then it is sealed anew. All that it kept is
   * kept again, since others may point to that.
   */
  async #takeOver(
    directory: SegmentDirectory,
    source: ClosedSegment,
    origin: SegmentOrigin,
    dying: Pick<DyingBlocks, "has">,
  ): Promise<void> {
    const { identity } = directory;
    const isAnswered = await areForwardsAnswered(directory, this.segments, dying, () => true);
    if (isAnswered && (await this.#comesBack(identity))) return;
    if (!isAnswered) {
      this.#parts.log.warn("a segment is sealed anew, since it points to blocks that are gone", { ...identity });
    }
    // Where that cannot be read others may point to any of them.
    const isPointedTo = (await unlessUnreadable(keptSlotsOf(directory))) ?? (() => true);
    const known = { known: nothingKnown, isPointedTo };
    await this.#seal(source, origin, { ...identity, generation: identity.generation + 1 }, known);
  }

  async #comesBack(identity: SegmentIdentity): Promise<boolean> {
    const { objects, key, log } = this.#parts;
    const { segment: number, generation } = identity;
    const wanted = { kind: objectKind.segment, group: undefined, number, generation };
    try {
      await readBack(objects, segmentObjectName(identity), wanted, key);
      return true;
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      log.error("a segment does not come back as it was written: it is sealed anew", { ...identity, error });
      return false;
    }
  }

  /** It is to be read at least at its ends. */
  async #sameOne(
    identity: SegmentIdentity,
    source: ClosedSegment,
    { group }: SegmentOrigin,
  ): Promise<SegmentDirectory> {
    const directory = await this.segments.directoryApart(identity);
    const { counts, object } = directory;
    const name = segmentObjectName(identity);
    if (object.group !== group || counts.slots < source.slotCount) {
      const found = `one of group ${object.group} with ${counts.slots} slots`;
      throw new StopError(`${name} is ${found}, and not that of group ${group} with ${source.slotCount}`);
    }
    const slot = await slotOfAnother(directory, source);
    if (slot === undefined) return directory;
    throw new StopError(`${name} is another one of the same number: what it has in slot ${slot} is not what is here`);
  }

  /** `attemptsLeft`: with the generations behind this one, where what was written does not come back. */
  async #seal(
    source: ClosedSegment,
    origin: SegmentOrigin,
    identity: SegmentIdentity,
    known: Pick<SealParts, "known" | "isPointedTo">,
    attemptsLeft = successorAttemptsMax - 1,
  ): Promise<void> {
    const { objects, key, randomness, fingerprints, clock, index } = this.#parts;
    const { helpers = ownHelpers(fingerprints) } = this.#parts;
    const { segment: number, generation } = identity;
    const facts = { kind: objectKind.segment, number, generation, ...origin };
    const builder = new ObjectBuilder(objects.create(segmentObjectName(identity)), { facts, randomness, key });
    let counts: SegmentCounts;
    try {
      const sealed = await sealSegment({ source, sink: builder, ...known, helpers, memory: this.#memory });
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
    if (!(await this.#comesBack(identity))) {
      const name = segmentObjectName(identity);
      if (attemptsLeft === 0) throw new StopError(`what is written to the store does not come back: ${name}`);
      const next = { ...identity, generation: generation + 1 };
      return await this.#seal(source, origin, next, known, attemptsLeft - 1);
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
    // Zeros, and what is damaged, need none.
    this.#fingerprintCount += counts.kept + counts.forwards;
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

/** None of what it points to is going to be removed. */
const stays = { has: () => false };

/** What is being sealed is compared with nothing else. */
const nothingKnown: KnownBlocks = {
  find: async (_fingerprints, _count, addresses) => {
    addresses.fill(holeAddress);
  },
};
