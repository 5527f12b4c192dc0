/**
 * The sorted maps port: a file with a few named tables, each of keys and values of a few bytes, sorted by their keys'
 * bytes. Larger than memory, and nothing but a convenience: it has no checksums. Whoever uses it can do without what is in
 * it, and checks what it says.
 *
 * What a damaged file does: it throws, or answers what was never put, or ends the process. So it is opened where that is
 * lived with.
 */

export interface SortedMapChanges {
  /** Both are copied. A key has 1 to 64 bytes, a value 1 to 512. Another value of the key is replaced. */
  put(table: string, key: Buffer, value: Buffer): void;
  /** Nothing happens where it is not there. */
  remove(table: string, key: Buffer): void;
}

/** What it throws is a `SortedMapError`, or a system error where there is no room: then nothing was changed. */
export interface SortedMap {
  /** Its bytes are the caller's only until the next call. Undefined: there is none. */
  get(table: string, key: Buffer): Buffer | undefined;
  /** The first keys behind `after`, or of all, at most `countMax`, in their order. */
  keys(table: string, after: Buffer | undefined, countMax: number): Buffer[];
  count(table: string): number;
  /** Of the file. */
  sizeBytes(): number;
  /**
   * All that `write` says, or nothing, also after a loss of power; durable when it resolves. Cheapest where the keys are
   * sorted. One at a time; until it resolves the old or the new is read.
   */
  change(write: (changes: SortedMapChanges) => void): Promise<void>;
  close(): Promise<void>;
}

/** Opening and renaming are for one process at a time: the caller has locked the folder. */
export interface SortedMaps {
  /** The file, and beside it what belongs to it while it is open; made where there is none. */
  open(path: string, tables: readonly string[]): SortedMap;
  /** Of one that nobody has open. It may be there or not. */
  remove(path: string): void;
  /** Likewise; one that had the new name is replaced. */
  rename(from: string, to: string): void;
}

/** The file is of no more use. */
export class SortedMapError extends Error {
  override name = "SortedMapError";
}
