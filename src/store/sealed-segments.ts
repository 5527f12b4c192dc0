/**
 * The sealed segments of a store: which are there, in which generation, and their directories, opened as they are needed.
 *
 * Invariant: of each segment the highest generation is the one that is read.
 */
import { StopError } from "#src/core/errors.ts";
import { storeDirectoryCacheBytes, storeOpenSegmentsMax } from "#src/core/store-limits.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { ReadableObjects } from "./objects.ts";
import { SegmentDirectory, type SegmentObject } from "./segment-directory.ts";
import { type SegmentIdentity, segmentOfObject } from "./segment-format.ts";

export type OpenSegmentObject = (identity: SegmentIdentity) => Promise<SegmentObject>;

export class SealedSegments {
  readonly #openObject: OpenSegmentObject;
  readonly #generations = new Map<number, number>();
  #newest = 0;
  readonly #cache = new BoundedCache<string>(storeDirectoryCacheBytes);
  /** The one asked for last is last. */
  readonly #open = new Map<number, Promise<SegmentDirectory>>();

  private constructor(openObject: OpenSegmentObject) {
    this.#openObject = openObject;
  }

  /** Looks which are there. */
  static async open(objects: ReadableObjects, openObject: OpenSegmentObject): Promise<SealedSegments> {
    const segments = new SealedSegments(openObject);
    for await (const { name } of objects.list("segments/")) {
      const identity = segmentOfObject(name);
      if (identity !== undefined) segments.published(identity);
    }
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

  *identities(): Generator<SegmentIdentity> {
    for (const [segment, generation] of this.#generations) yield { segment, generation };
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

  /** Throws a `StopError` where there is no such segment, or it is damaged. */
  directory(segment: number): Promise<SegmentDirectory> {
    const generation = this.#generations.get(segment);
    if (generation === undefined) throw new StopError(`the store has no segment ${segment}`);
    const opened = this.#open.get(segment) ?? this.#opened({ segment, generation });
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

  async #opened(identity: SegmentIdentity): Promise<SegmentDirectory> {
    try {
      return new SegmentDirectory(identity, await this.#openObject(identity), this.#cache);
    } catch (error) {
      // The next who asks tries again: it may have been the disk's mood.
      this.#open.delete(identity.segment);
      throw error;
    }
  }
}
