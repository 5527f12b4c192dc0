/**
 * What collection has to know of those who point into data segments: every address that a point which is kept can reach. The
 * one who knows the snapshots, the pieces of the metadata journals and the pins says it. Where forwards lead is not his
 * concern: collection follows them itself.
 *
 * Invariant: an address that is not marked, in a segment that is told as settled, is never read again by any point that is
 * kept or will be: no record, snapshot or pin that is made later points to it.
 */
import type { WorkControl } from "./work-control.ts";

/** Takes what is needed, in whatever order and however often it comes. */
export interface LiveMarks {
  /** Blocks behind each other from this address on, also where they go on in the next segment. */
  mark(address: number, blockCount: number): void;
}

/**
 * Segments of which all is known: everything that may ever point into them is in pieces or snapshots that the walk has
 * seen, and nobody is going to seal them any more, since the files that they were sealed from are gone. Of any other
 * segment every block counts as needed.
 */
export interface SettledSegments {
  has(segment: number): boolean;
}

export interface LiveBlocks {
  /**
   * First takes down which segments are settled, then marks all that points which are kept reach, pins included. What
   * cannot be read is a reason to reject: a block is dead only if it is known to be. Called again before anything is
   * removed, and then sees what was pinned meanwhile.
   */
  markLive(marks: LiveMarks, control: WorkControl): Promise<SettledSegments>;
}
