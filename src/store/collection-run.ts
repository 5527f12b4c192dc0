/**
 * Carries out a plan of collection, beside sealing and reading. It may be ended or die at any moment, and be begun again: what
 * is done already is found in the store.
 *
 * The order, which is what keeps every block that is needed:
 *   1. nothing new points into the planned segments any more (`DyingBlocks`);
 *   2. what was being sealed before is sealed;
 *   3. only then it is found out what is needed, through forwards and pins;
 *   4. what is not needed leaves the index, and the next generations are published;
 *   5. an older generation goes when its successor was read back, and whoever had begun to read it has had the time to end.
 */

import { RetryError } from "#src/core/errors.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import type { Log } from "#src/host/log.ts";
import { slotOf } from "#src/records/address.ts";
import type { CollectionOutcome } from "./collection-document.ts";
import type { CollectionPlan } from "./collection-plan.ts";
import { keptOfPage } from "./directory-walk.ts";
import { type DoomedObjects, flushIfRoom } from "./doomed-objects.ts";
import type { DyingBlocks } from "./dying-blocks.ts";
import type { FingerprintIndex } from "./fingerprint-index.ts";
import type { LiveSlots } from "./live-slots.ts";
import { ObjectDamageError } from "./object-damage.ts";
import { unlessUnreadable } from "./object-presence.ts";
import { PacedBytes } from "./paced-bytes.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import type { SegmentIdentity } from "./segment-format.ts";
import type { SegmentSuccession } from "./segment-succession.ts";
import { slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";
import type { SpaceReserve } from "./space-reserve.ts";
import type { WorkControl } from "./work-control.ts";

export interface CollectionRunParts {
  readonly segments: SealedSegments;
  readonly index: FingerprintIndex;
  readonly dying: Pick<DyingBlocks, "hold" | "release">;
  readonly succession: SegmentSuccession;
  readonly doomed: DoomedObjects;
  /** Resolves when what is being sealed now has come to its end. */
  readonly presentSealOver: () => Promise<void>;
  /** Closed by whoever gets it. */
  readonly findLive: (control: WorkControl) => Promise<LiveSlots>;
  readonly reserve: SpaceReserve;
  readonly log: Log;
}

export class CollectionRun {
  readonly #parts: CollectionRunParts;
  readonly #planned: readonly number[];
  readonly #control: WorkControl;
  readonly #paced: PacedBytes;
  /** There was no room for them. */
  readonly #postponed: number[] = [];
  #doneCount = 0;
  #removedCount = 0;
  #droppedCount = 0;
  #skippedCount = 0;

  constructor(parts: CollectionRunParts, plan: CollectionPlan, control: WorkControl) {
    this.#parts = parts;
    this.#planned = plan.segments.map(({ segment }) => segment);
    this.#control = control;
    this.#paced = new PacedBytes(control);
  }

  /** What came of it so far. */
  get outcome(): CollectionOutcome {
    const { succession, doomed } = this.#parts;
    return {
      removedSegments: this.#removedCount,
      rewrittenSegments: succession.rewrittenCount,
      removedBytes: doomed.removedBytes,
      writtenBytes: succession.writtenBytes,
      droppedBlocks: this.#droppedCount,
      skippedSegments: this.#skippedCount,
    };
  }

  /**
   * Resolves when all of it is done, and nothing is held back any more. If it rejects, the plan is to be run again: until then
   * nothing new points into its segments.
   */
  async run(): Promise<void> {
    const { dying, presentSealOver, findLive } = this.#parts;
    for (const segment of this.#planned) dying.hold(segment);
    await presentSealOver();
    const live = await findLive(this.#control);
    try {
      await this.#collectAll(live);
    } catch (error) {
      this.#findAgain();
      for (const segment of this.#planned) dying.hold(segment);
      throw error;
    } finally {
      live.close();
    }
  }

  /** As after a start: the next run meets those whose time was not over, and it begins anew. */
  #findAgain(): void {
    const { doomed, segments } = this.#parts;
    for (const one of doomed.left) if (!segments.has(one.segment)) segments.published(one);
  }

  async #collectAll(live: LiveSlots): Promise<void> {
    const { dying, succession, presentSealOver } = this.#parts;
    for (const segment of this.#planned) dying.hold(segment, (slot) => !live.has(segment, slot));
    await succession.endOthers(live, this.#control);
    for (const segment of this.#planned) await this.#forget(segment, live);
    await flushIfRoom(this.#parts.index, this.#parts.log);
    for (const segment of this.#planned) await this.#collect(segment, live);
    for (const segment of this.#postponed.splice(0)) await this.#collect(segment, live);
    this.#skippedCount += this.#postponed.length;
    while (this.#parts.doomed.count > 0) await this.#removeNext();
    // Whoever is sealing may have seen a directory that is gone now.
    await presentSealOver();
    for (const segment of this.#planned) dying.release(segment);
  }

  /** The index need not know any more what is going to be dropped. */
  async #forget(segment: number, live: LiveSlots): Promise<void> {
    const { index } = this.#parts;
    const directory = await this.#readable(segment);
    if (directory === undefined) return;
    const needed = { has: (address: number) => live.has(segment, slotOf(address)) };
    for (let page = 0; page < directory.pageCount; page++) {
      this.#control.throwIfCancelled();
      const dead = await keptOfPage(directory, page, needed);
      await this.#paced.add(pageBytes);
      if (dead.count > 0) await index.forget(dead);
    }
  }

  /** Undefined: it is gone, or cannot be read, which hinders only where something of it is needed. */
  async #readable(segment: number): Promise<SegmentDirectory | undefined> {
    const { segments } = this.#parts;
    const generation = segments.generationOf(segment);
    if (generation === undefined) return undefined;
    return await unlessUnreadable(segments.directoryApart({ segment, generation }));
  }

  async #collect(segment: number, live: LiveSlots): Promise<void> {
    const { segments } = this.#parts;
    const total = this.#planned.length;
    this.#control.progress({ done: this.#doneCount++, total, unit: "segments", what: "removes what nobody needs" });
    this.#control.throwIfCancelled();
    const generation = segments.generationOf(segment);
    if (generation === undefined) return;
    if (live.isAny(segment)) await this.#rewrite({ segment, generation }, live);
    else await this.#remove({ segment, generation });
  }

  async #remove(identity: SegmentIdentity): Promise<void> {
    const { index, segments, doomed } = this.#parts;
    await index.forgetSegment(identity.segment);
    segments.removed(identity.segment);
    await doomed.add(identity);
    this.#removedCount++;
  }

  async #rewrite(identity: SegmentIdentity, live: LiveSlots): Promise<void> {
    const { segment, generation } = identity;
    const deadCount = await this.#deadCountOf(identity, live);
    if (deadCount === 0) {
      this.#skippedCount++;
      return;
    }
    try {
      await this.#withRoom(() => this.#parts.succession.rewrite(identity, generation, live, this.#control));
      this.#droppedCount += deadCount;
    } catch (error) {
      if (isForLackOfSpace(error)) {
        this.#postponed.push(segment);
        return;
      }
      if (!(error instanceof ObjectDamageError)) throw error;
      this.#skippedCount++;
      this.#parts.log.warn("a segment is not collected, since what is needed of it is damaged", { segment, error });
    }
  }

  /** Slots with something in them that nobody needs. */
  async #deadCountOf(identity: SegmentIdentity, live: LiveSlots): Promise<number> {
    const directory = await this.#parts.segments.directoryApart(identity);
    let count = 0;
    for (let page = 0; page < directory.pageCount; page++) {
      const entries = await directory.slots(page);
      await this.#paced.add(entries.length);
      for (let start = 0; start < entries.length; start += slotEntryBytes) {
        const slot = page * slotsPerPage + start / slotEntryBytes;
        if (slotKindAt(entries, start) !== slotKind.none && !live.has(identity.segment, slot)) count++;
      }
    }
    return count;
  }

  /** What is still to be removed makes room for what is to be written. */
  async #withRoom(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isForLackOfSpace(error) || this.#parts.doomed.count === 0) throw error;
        await this.#removeNext();
      }
    }
  }

  async #removeNext(): Promise<void> {
    await this.#parts.doomed.removeNext(this.#control);
    await this.#parts.reserve.refill();
  }
}

/** Of a page with its fingerprints. */
const pageBytes = slotsPerPage * (slotEntryBytes + fingerprintBytes);

function isForLackOfSpace(error: unknown): boolean {
  return error instanceof RetryError && isLackOfSpace(error.cause);
}
