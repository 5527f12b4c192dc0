/**
 * The files port: a tree of folders and files, all paths absolute. What is written is not durable before a sync said
 * so, and that goes for names too: a file that was created, renamed or removed may come back as it was until its
 * folder was synced. Errors are thrown or handed over as `NodeJS.ErrnoException` with a `code`.
 */
import type { DoneCallback } from "./block-device.ts";

export type OpenMode = "read" | "readWrite";

/**
 * Calls whose names end in `Now` return when the work is done and may block; positions and lengths are bytes, and any
 * length is transferred whole or an error says why not.
 */
export interface FileHandle {
  readonly path: string;
  sizeBytesNow(): number;
  /** Answers how many bytes were read: less than asked for only where the file ends. */
  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): number;
  /** Writing beyond the end fills the gap with zeros. After an error any part of the range may have been written. */
  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void;
  /** The pieces one after the other, without copying them together. */
  writevNow(pieces: readonly Buffer[], position: number): void;
  /** Cuts the file, or makes it longer with zeros. */
  truncateNow(sizeBytes: number): void;
  /**
   * All that was written before this call is durable when `done` is called without an error; never called before this
   * returns. After one failure nobody knows what is on the disk: every later sync of this handle repeats that error.
   */
  sync(done: DoneCallback): void;
  /** Syncs under way are still answered. Nothing else may be called after this. */
  close(): void;
}

export interface FolderEntry {
  readonly name: string;
  /** Or a link to one. */
  readonly isFolder: boolean;
}

/** Held until it is released, or the process that has it ends, in whatever way. */
export interface FolderLock {
  release(): void;
}

/** Rare and short, so all but `syncFolder` return when they are done. */
export interface Files {
  /** The file must be there, and must not be a folder. */
  open(path: string, mode: OpenMode): FileHandle;
  /** A new and empty file, to read and write; the name must be free. */
  create(path: string): FileHandle;
  /** Whether there is a file or a folder of this name. */
  exists(path: string): boolean;
  /** The names in a folder, sorted by their characters' codes. */
  list(path: string): string[];
  /** The same with what they are, as the folder itself says: no look at each of them. */
  entries(path: string): FolderEntry[];
  /** Of a file, without opening it. Undefined: there is no file of this name. */
  sizeBytes(path: string): number | undefined;
  /**
   * Gives a file or a folder another name in the same folder (a single sync cannot make a move between two folders
   * durable). A file that had the new name is replaced: at any time the name is the one's or the other's.
   */
  rename(from: string, to: string): void;
  /** A file only. Handles that are open go on reading and writing it. */
  remove(path: string): void;
  /** One level. Nothing happens where the folder is there already. */
  makeFolder(path: string): void;
  /**
   * Nobody else who asks gets this folder, in this process or another one of this machine: EBUSY. Everything else goes
   * on as if there were no lock; a file named `lock` in the folder belongs to it.
   */
  lockFolder(path: string): FolderLock;
  /** The names created, renamed and removed in this folder before this call are durable when `done` is called without an error. */
  syncFolder(path: string, done: DoneCallback): void;
}
