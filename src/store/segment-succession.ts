/**
 * Puts a new generation of a segment in the place of the old one: written, read back, and if it is not sound written once
 * more. What was left over by one who died in the middle is found and brought to its end.
 *
 * Invariants: nobody is told of a generation before it was read back; an older one goes only when it has nothing that is
 * needed, can be read, and is not in the newest one too.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { successorAttemptsMax } from "#src/core/store-limits.ts";
import type { Log } from "#src/host/log.ts";
import { areForwardsAnswered } from "./directory-walk.ts";
import type { DoomedObjects } from "./doomed-objects.ts";
import { DyingBlocks } from "./dying-blocks.ts";
import type { FingerprintIndex } from "./fingerprint-index.ts";
import { GenerationCopies } from "./generation-copies.ts";
import type { LiveSlots } from "./live-slots.ts";
import { ObjectDamageError } from "./object-damage.ts";
import { AbsentObjectError, type Objects } from "./objects.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { KeptFingerprints } from "./segment-fingerprints.ts";
import { type SegmentIdentity, segmentObjectName, segmentOfObject } from "./segment-format.ts";
import { rewriteSegment, type SegmentRewriteParts } from "./segment-rewrite.ts";
import { isSoundSuccessor } from "./successor-check.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentSuccessionParts {
  readonly rewriting: SegmentRewriteParts;
  readonly objects: Pick<Objects, "list">;
  readonly segments: SealedSegments;
  readonly index: FingerprintIndex;
  readonly doomed: DoomedObjects;
  readonly log: Log;
}

/** What is written, and from what. */
interface Succession {
  readonly older: SegmentIdentity;
  /** The highest number that there is. */
  readonly newest: number;
  /** What its generations have. */
  readonly copies?: GenerationCopies;
}

export class SegmentSuccession {
  readonly #parts: SegmentSuccessionParts;
  /** By segment, where none is sound: the highest number that there is. */
  readonly #unsound = new Map<number, number>();
  #rewrittenCount = 0;
  #writtenBytes = 0;

  constructor(parts: SegmentSuccessionParts) {
    this.#parts = parts;
  }

  /** Objects that were written since the beginning. */
  get rewrittenCount(): number {
    return this.#rewrittenCount;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * With a number above `newest`, which is the highest that is known. Rejects with an `ObjectDamageError` where something that is
   * needed cannot be read: then all stays as it was.
   */
  async rewrite(older: SegmentIdentity, newest: number, live: LiveSlots, control: WorkControl): Promise<void> {
    const highest = Math.max(newest, this.#unsound.get(older.segment) ?? 0);
    const newer = await this.#written({ older, newest: highest }, live, control);
    await this.#parts.doomed.add(older);
    for (let generation = older.generation + 1; generation < newer.generation; generation++) {
      await this.#doomIfReplaced({ ...older, generation }, newer, live, control);
    }
  }

  /** It is sound. */
  async #written(succession: Succession, live: LiveSlots, control: WorkControl): Promise<SegmentIdentity> {
    const { older, newest } = succession;
    for (let generation = newest + 1; generation <= newest + successorAttemptsMax; generation++) {
      const newer = { ...older, generation };
      const added = await this.#write(succession, newer, live, control);
      if (await this.#isSound(older, newer, live, control)) {
        this.#parts.segments.published(newer);
        this.#unsound.delete(older.segment);
        if (added !== undefined) await this.#parts.index.add(newer, added);
        return newer;
      }
      this.#parts.log.error("what was written of a segment does not come back as it was", { ...older, to: generation });
    }
    throw new StopError(`what is written to the store does not come back: ${segmentObjectName(older)}`);
  }

  /** Answers what it keeps and the old one did not; undefined: nobody knows. */
  async #write(
    { older, copies }: Succession,
    { segment, generation }: SegmentIdentity,
    live: LiveSlots,
    control: WorkControl,
  ): Promise<KeptFingerprints | undefined> {
    const isDropped = (slot: number): boolean => !live.has(segment, slot);
    const replacement = async (slot: number): Promise<Buffer | undefined> => await copies?.read(slot);
    const change = { isDropped, replacement, ifUnreadable: "refuse" as const };
    try {
      const { added, objectBytes } = await rewriteSegment(this.#parts.rewriting, older, generation, change, control);
      this.#rewrittenCount++;
      this.#writtenBytes += objectBytes;
      return added;
    } catch (error) {
      // One that was told to have failed, or died, may have written it. If it is not sound it is written once more.
      if (!(error instanceof RefuseError)) throw error;
      return undefined;
    }
  }

  async #isSound(
    older: SegmentIdentity,
    newer: SegmentIdentity,
    live: LiveSlots,
    control: WorkControl,
  ): Promise<boolean> {
    const { segments, rewriting } = this.#parts;
    try {
      const before = await segments.directoryApart(older);
      const directory = await segments.directoryApart(newer);
      const isNeeded = (slot: number): boolean => live.has(older.segment, slot);
      return await isSoundSuccessor(before, directory, isNeeded, rewriting.fingerprints, segments, control);
    } catch (error) {
      if (error instanceof StopError || error instanceof AbsentObjectError) return false;
      throw error;
    }
  }

  /** Generations whose successors are there already: they go too. */
  async endOthers(live: LiveSlots, control: WorkControl): Promise<void> {
    let together: SegmentIdentity[] = [];
    for await (const { name } of this.#parts.objects.list("segments/")) {
      const found = segmentOfObject(name);
      if (found === undefined || !this.#parts.segments.has(found.segment)) continue;
      if (together[0]?.segment !== found.segment) {
        await this.#end(together, live, control);
        together = [];
      }
      together.push(found);
    }
    await this.#end(together, live, control);
  }

  /** Of one segment, the oldest first. */
  async #end(generations: readonly SegmentIdentity[], live: LiveSlots, control: WorkControl): Promise<void> {
    const newest = generations.at(-1);
    if (newest === undefined || generations.length === 1) return;
    const older = generations.slice(0, -1);
    if (!live.isAny(newest.segment)) {
      for (const one of older) await this.#parts.doomed.add(one);
      return;
    }
    const left = await this.#replaced(older, newest, live, control);
    if (left.length === 0) return this.#parts.segments.published(newest);
    this.#parts.log.error("a segment's new generation is not what it should be", { ...newest });
    this.#unsound.set(newest.segment, newest.generation);
    for (const base of left) {
      if (!(await this.#isAnswered(base, live))) continue;
      const copies = new GenerationCopies(this.#parts.segments, generations.toReversed());
      try {
        const newer = await this.#written({ older: base, newest: newest.generation, copies }, live, control);
        await this.#parts.doomed.add(base);
        await this.#replaced([...left.filter((one) => one !== base), newest], newer, live, control);
        return;
      } catch (error) {
        if (!(error instanceof ObjectDamageError)) throw error;
      }
    }
    this.#parts.log.error("no generation of a segment is sound: repair has to look at them", { ...newest });
  }

  /** Those in whose place another one can be go. Answers the others, the newest first. */
  async #replaced(
    older: readonly SegmentIdentity[],
    newer: SegmentIdentity,
    live: LiveSlots,
    control: WorkControl,
  ): Promise<SegmentIdentity[]> {
    const left: SegmentIdentity[] = [];
    for (const one of older.toReversed()) {
      if (!(await this.#doomIfReplaced(one, newer, live, control))) left.push(one);
    }
    return left;
  }

  async #doomIfReplaced(
    older: SegmentIdentity,
    newer: SegmentIdentity,
    live: LiveSlots,
    control: WorkControl,
  ): Promise<boolean> {
    // Who has no directory any more is compared with nothing: then the newer one has to be sound for itself.
    const compared = (await this.#hasDirectory(older)) ? older : newer;
    if (!(await this.#isSound(compared, newer, live, control))) return false;
    await this.#parts.doomed.add(older);
    return true;
  }

  /** True as well where the disk does not say it just now. */
  async #hasDirectory(identity: SegmentIdentity): Promise<boolean> {
    try {
      await this.#parts.segments.directoryApart(identity);
      return true;
    } catch (error) {
      if (error instanceof ObjectDamageError || error instanceof AbsentObjectError) return false;
      if (error instanceof StopError) return true;
      throw error;
    }
  }

  /** One that was sealed anew took the place of one whose forwards led nowhere. */
  async #isAnswered(identity: SegmentIdentity, live: LiveSlots): Promise<boolean> {
    const { segments } = this.#parts;
    const isNeeded = (slot: number): boolean => live.has(identity.segment, slot);
    try {
      const directory = await segments.directoryApart(identity);
      return await areForwardsAnswered(directory, segments, new DyingBlocks(), isNeeded);
    } catch (error) {
      if (error instanceof StopError || error instanceof AbsentObjectError) return false;
      throw error;
    }
  }
}
