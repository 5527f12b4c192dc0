/**
 * The sealed segments of a store: which are there, in which generation, and their directories, opened as they are needed.
 * Who writes tells here what is published and removed; who only reads finds out when an object is gone that he knew, and
 * looks for the one that has taken its place.
 *
 * Invariants: of each segment the highest generation that was told is the one that is read; an object is removed only when one of a
 * higher generation is there, or nobody needs any of it.
 */

import { StopError } from "#src/core/errors.ts";
import { slotsPerPage, storeDirectoryCacheBytes, storeOpenSegmentsMax } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { isObjectThere } from "./object-presence.ts";
import type { ReadableObjects } from "./objects.ts";
import { SegmentDirectory, type SegmentObject } from "./segment-directory.ts";
import {
  generationMax,
  type SegmentIdentity,
  segmentNamePrefix,
  segmentObjectName,
  segmentOfObject,
} from "./segment-format.ts";
import { slotEntryBytes } from "./slot-page.ts";

export type OpenSegmentObject = (identity: SegmentIdentity) => Promise<SegmentObject>;

export class SealedSegments {
  readonly #objects: ReadableObjects;
  readonly #openObject: OpenSegmentObject;
  readonly #generations = new Map<number, number>();
  #newest = 0;
  readonly #cache: BoundedCache<number>;
  #openedCount = 0;
  /** The one asked for last is last. */
  readonly #open = new Map<number, Promise<SegmentDirectory>>();
  /** What came of those. */
  readonly #directories = new WeakMap<Promise<SegmentDirectory>, SegmentDirectory>();

  private constructor(objects: ReadableObjects, openObject: OpenSegmentObject, cacheBytes: number) {
    this.#objects = objects;
    this.#openObject = openObject;
    this.#cache = new BoundedCache<number>(cacheBytes);
  }

  /** Looks which are there. */
  static async open(
    objects: ReadableObjects,
    openObject: OpenSegmentObject,
    cacheBytes: number = storeDirectoryCacheBytes,
  ): Promise<SealedSegments> {
    const segments = new SealedSegments(objects, openObject, cacheBytes);
    for await (const identity of segments.listedIdentities()) segments.published(identity);
    return segments;
  }

  get count(): number {
    return this.#generations.size;
  }

  /** The highest number that one has had; 0: there was none. */
  get newest(): number {
    return this.#newest;
  }

  has(segment: number): boolean {
    return this.#generations.has(segment);
  }

  /** Undefined: there is no such segment. */
  generationOf(segment: number): number | undefined {
    return this.#generations.get(segment);
  }

  *identities(): Generator<SegmentIdentity> {
    for (const [segment, generation] of this.#generations) yield { segment, generation };
  }

  /** Of all segments all that are there, also those in whose place another one is. */
  async *listedIdentities(): AsyncGenerator<SegmentIdentity, void> {
    for await (const { name } of this.#objects.list("segments/")) {
      const identity = segmentOfObject(name);
      if (identity !== undefined) yield identity;
    }
  }

  /** It is in the store, whole. */
  published({ segment, generation }: SegmentIdentity): void {
    if (generation < (this.#generations.get(segment) ?? 0)) return;
    this.#generations.set(segment, generation);
    this.#newest = Math.max(this.#newest, segment);
    this.#open.delete(segment);
  }

  removed(segment: number): void {
    this.#generations.delete(segment);
    this.#open.delete(segment);
  }

  /**
   * An object of a segment that was known is gone: which one is there instead? Answers whether another one is known now, or
   * that there is none. Somebody else may have found out meanwhile.
   */
  async lookAgain({ segment, generation }: SegmentIdentity): Promise<boolean> {
    if (this.#generations.get(segment) !== generation) return true;
    const next = (await this.#nextOf(segment, generation)) ?? (await this.#listed(segment));
    if (this.#generations.get(segment) !== generation) return true;
    if (next === generation) return false;
    if (next === undefined) this.removed(segment);
    else this.published({ segment, generation: next });
    return true;
  }

  /** Something of it cannot be read: it may have been repaired since it was opened, so it is opened anew, or its next generation. */
  async reopen(segment: number): Promise<void> {
    const generation = this.#generations.get(segment);
    if (generation === undefined) return;
    const next = await this.#nextOf(segment, generation);
    if (next !== undefined) this.published({ segment, generation: next });
    else this.#open.delete(segment);
  }

  /** A list may have been made before it was there, or before it was sealed anew. Answers whether it is known now. */
  async lookFor(segment: number): Promise<boolean> {
    let generation = this.generationOf(segment);
    for (;;) {
      const next = await this.#nextOf(segment, generation ?? -1);
      if (next === undefined) break;
      generation = next;
    }
    generation ??= await this.#listed(segment);
    if (generation !== undefined) this.published({ segment, generation });
    return this.has(segment);
  }

  /** Most have the next number, and to ask for that one costs less than a list. */
  async #nextOf(segment: number, generation: number): Promise<number | undefined> {
    const next = generation + 1;
    if (next > generationMax) return undefined;
    const isThere = await isObjectThere(this.#objects, segmentObjectName({ segment, generation: next }));
    return isThere ? next : undefined;
  }

  async #listed(segment: number): Promise<number | undefined> {
    let newest: number | undefined;
    for await (const { name } of this.#objects.list(segmentNamePrefix(segment))) {
      const found = segmentOfObject(name);
      if (found !== undefined) newest = Math.max(newest ?? 0, found.generation);
    }
    return newest;
  }

  /** For who goes through all segments once, and is not to push out of memory what others have there. */
  async directoryApart(identity: SegmentIdentity): Promise<SegmentDirectory> {
    return new SegmentDirectory(identity, await this.#openObject(identity), new BoundedCache(apartCacheBytes), 0);
  }

  /** Throws a `StopError` where there is no such segment, or it is damaged. */
  directory(segment: number): Promise<SegmentDirectory> {
    const generation = this.#generations.get(segment);
    if (generation === undefined) throw new StopError(`the store has no segment ${segment}`);
    const opened = this.#open.get(segment) ?? this.#begun({ segment, generation });
    this.#open.delete(segment);
    this.#open.set(segment, opened);
    if (this.#open.size > storeOpenSegmentsMax) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
    return opened;
  }

  /** The same without waiting. Undefined: it is not open. */
  openDirectory(segment: number): SegmentDirectory | undefined {
    const opened = this.#open.get(segment);
    return opened === undefined ? undefined : this.#directories.get(opened);
  }

  #begun(identity: SegmentIdentity): Promise<SegmentDirectory> {
    const opened = this.#opened(identity);
    void opened.then(
      (directory) => this.#directories.set(opened, directory),
      () => {},
    );
    return opened;
  }

  async #opened(identity: SegmentIdentity): Promise<SegmentDirectory> {
    try {
      return new SegmentDirectory(identity, await this.#openObject(identity), this.#cache, this.#openedCount++);
    } catch (error) {
      // The next who asks tries again: it may have been the disk's mood.
      this.#open.delete(identity.segment);
      throw error;
    }
  }
}

/** A page of each kind. */
const apartCacheBytes = slotsPerPage * (slotEntryBytes + fingerprintBytes);
