/**
 * Where a volume's live data is. Positions and lengths are bytes. Calls that end in `Now` return when the work is done and
 * throw; the others call back with an error or null, also before they return.
 */
import type { DoneCallback, Extent } from "#src/host/block-device.ts";

export type ExtentsCallback = (error: Error | null, extents: readonly Extent[]) => void;

export interface Source {
  readonly sizeBytes: number;
  /** As its server tells of it, where it has one. */
  readonly description?: string;
  readonly rotational: boolean;
  /** Reads must be multiples of this, in place and length. */
  readonly minimumBytes: number;
  /** What was read a moment ago is read again without waiting for a disk or a network. */
  readonly isCached: boolean;
  /** What was cleared without keeping its space reads as zeros, at little cost. May turn out false at any time. */
  readonly trimReadsZeros: boolean;
  /** Whether clearing is known to be faster than writing zeros. */
  clearsFast(keepSpace: boolean): boolean;
  /** False: it would have to wait, and the buffer's content is undefined. */
  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean;
  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void;
  /** Whether the next write is better made at once, by `writeNow`. */
  mayWriteNow(): boolean;
  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void;
  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void;
  /** The range reads as zeros, even where that means to write them. */
  clear(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void;
  /** Clears are begun no more, and long ones end in the middle, with an error: who ends does not wait for hours of them. */
  endClears(): void;
  /** All that was written before this call is durable when `done` is called without an error. */
  sync(done: DoneCallback): void;
  /** The runs from `position` on, at most `countMax`, ending at or before the range does. */
  extents(position: number, lengthBytes: number, countMax: number, done: ExtentsCallback): void;
  /** Tells once when nothing that is asked of it can succeed any more, because the way to it is gone. Only a new one is of use. */
  whenLost?(told: (error: Error) => void): void;
  willNeed(position: number, lengthBytes: number): void;
  /**
   * Nothing else may be called after this, but itself once more. Resolves when all that was under way has called back: only then
   * can the source be opened anew. Rejects where that takes too long.
   */
  close(): Promise<void>;
}

/** Opened at the start, and anew after a failure: what failed is not used again. */
export type OpenSource = () => Promise<Source>;
