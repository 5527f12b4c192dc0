/** What the directories of sealed segments say to the index: of each block that is kept, its fingerprint and its address. */

export interface SegmentName {
  readonly segment: number;
  readonly generation: number;
}

/** Kept blocks of one segment. */
export interface KeptFingerprints {
  readonly count: number;
  /** 32 bytes each. */
  readonly fingerprints: Buffer;
  readonly addresses: Float64Array;
}

export interface SegmentFingerprints extends SegmentName {
  /** All of its kept blocks, in pieces that are the reader's only until it asks for the next. May throw in the middle. */
  readonly pieces: AsyncIterable<KeptFingerprints>;
}
