/**
 * The index of the store: where a block of this fingerprint may lie. It knows the first eight bytes of each only, it may be
 * old or damaged, and it can be lost at any time: whoever asks checks the whole fingerprint in the directory of the segment
 * that the address points to. What it lacks costs deduplication and never bytes, so nothing in it is a reason to stop.
 *
 * Invariants:
 *   a segment is durably known => all its fingerprints are durable, or were forgotten, or have another address since
 *   forgotten, and not added again => not found by this index any more; after `flush` not by the next one either
 */
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "./segment-fingerprints.ts";

export interface FingerprintIndex {
  /** Fills in the addresses for `count` fingerprints of 32 bytes; the hole where it knows of none. */
  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void;
  /**
   * All kept blocks of a segment that is whole and durable in the store; of a new generation those that are new to the
   * index, perhaps none. The memory is the caller's again when it resolves. Where there is no room for what is added it
   * is not known after all, and neither is the segment.
   */
  add(name: SegmentName, kept: KeptFingerprints): Promise<void>;
  /** Those that still point to these addresses. */
  forget(blocks: KeptFingerprints): Promise<void>;
  /** The store is not going to have any generation of it: before its object goes, and then `flush`. */
  forgetSegment(segment: number): Promise<void>;
  /**
   * Told of all that the store has, which of it has to be read anew. An index that knows what the store does not have
   * belongs to another time or another store: it is set aside, and all of it is missing.
   */
  missing(stored: readonly SegmentName[]): Promise<SegmentName[]>;
  /** Sets it aside, with all that it knows, and begins one from nothing: everything is missing then. */
  beginAnew(why: string): Promise<void>;
  /** Takes in what is missing. A segment that cannot be read is left out, and told. */
  rebuild(
    segments: AsyncIterable<SegmentFingerprints>,
    progress: (done: RebuildProgress) => void,
  ): Promise<RebuildProgress>;
  /** What was added and forgotten is durable when it resolves; a `RetryError` where it could not be made so. */
  flush(): Promise<void>;
  /** Never rejects: what could not be kept is missing next time. */
  close(): Promise<void>;
  readonly state: IndexState;
  figures(): IndexFigures;
}

export interface RebuildProgress {
  readonly segmentCount: number;
  readonly fingerprintCount: number;
  readonly unreadable: readonly SegmentName[];
}

/**
 * Who has removed something in the belief that it was forgotten here notes this behind the `flush`. Another identity, or a
 * lower number, and it has to be forgotten anew: the index was rebuilt, or an old copy of it was put back.
 */
export interface IndexState {
  /** Another one for each index that was begun from nothing. */
  readonly identity: string;
  /** Grows with each change that became durable. */
  readonly changeCount: number;
  /** It was set aside since it was last asked what is missing. */
  readonly isIncomplete: boolean;
}

/** For metrics; counts since it was opened unless they say otherwise. */
export interface IndexFigures {
  /** Present: in the file, and in memory only. */
  readonly storedCount: number;
  readonly gatheredCount: number;
  readonly segmentCount: number;
  readonly fileBytes: number;
  readonly gatheredBytes: number;
  readonly filterBytes: number;
  /** Without it each lookup goes to the file. */
  readonly hasFilter: boolean;
  readonly lookupCount: number;
  readonly hitCount: number;
  /** Lookups that went to the file, and those of them in vain. */
  readonly fileReadCount: number;
  readonly fileMissCount: number;
  readonly flushCount: number;
  readonly setAsideCount: number;
}
