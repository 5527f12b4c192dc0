/**
 * The objects port: what the store keeps for long lies in immutable objects under names, on a folder or on a service for
 * objects. No more is assumed of it than both can do: no change within an object, no rename, no condition on removing, and
 * no order in which several writers' objects appear.
 *
 * Errors: `AbsentObjectError` where there is no such object, a `RetryError` where it may work later (also for want of
 * room), a `StopError` where nobody knows what is there: also where it is known to be, and cannot be read. Everything else
 * is a fault of the caller.
 */

import type { SpaceReserve } from "./space-reserve.ts";

/**
 * For example `segments/000000000001.0000`: parts of `a-z`, `0-9`, `.` and `-`, with `/` between them. None begins with
 * another one and a `/`. A document's name ends in `.json`, an object's does not.
 */
export type ObjectName = string;

export interface ObjectInfo {
  readonly name: ObjectName;
  readonly sizeBytes: number;
}

/**
 * Takes an object's bytes, one piece behind the other. How many they will be nobody says before `finish`: a service that wants to
 * be told first, as S3 does, gets them from a file where they were gathered. So it should get them anyway, in one request: that
 * there is none of the name yet is a condition that all such services hold for a single PUT, and not all for one in parts.
 */
export interface ObjectWriter {
  readonly writtenBytes: number;
  /** The bytes may be used again when it has resolved. If it rejects, nothing is left but to abandon it. */
  write(bytes: Buffer): Promise<void>;
  /**
   * The object is there, whole and durable, when this resolves. If it rejects it may be there nevertheless, whole, or come
   * to be there later: whoever wants to know looks.
   */
  finish(): Promise<void>;
  /** Nothing of it stays. Never rejects; what is left over goes at the next opening. */
  abandon(): Promise<void>;
}

export interface VersionedDocument {
  readonly bytes: Buffer;
  /** Says which content this is; means nothing else. */
  readonly version: string;
}

export interface Objects {
  /**
   * The name has to be free, and nobody else may write it: names hold numbers that are given once. An object that is there
   * is never replaced: `finish` throws a `RefuseError` then. Where there is no room it is taken out of the reserve.
   */
  create(name: ObjectName, reserve?: SpaceReserve): ObjectWriter;
  /**
   * For an object that is there and is damaged: what is written takes its place, and until then it stays as it is. Only
   * bytes that it had when it was published, or an older copy of them, may come back so. `finish` throws a `RefuseError`
   * where there is none to replace.
   */
  restore(name: ObjectName): ObjectWriter;
  /** Fills `target` from a position of the object on; answers how many bytes: fewer than asked for only where it ends. */
  read(name: ObjectName, target: Buffer, position: number): Promise<number>;
  /**
   * The same of so many bytes at once, where they are at hand. Undefined: they are not, or cannot be had; `read` does it, or says why
   * not. Absent: nothing is ever at hand.
   */
  readNow?(name: ObjectName, target: Buffer, byteLength: number, position: number): number | undefined;
  sizeBytes(name: ObjectName): Promise<number>;
  /** All whose names begin so, in the order of their characters' codes. What comes and goes meanwhile is told or not. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Nothing happens where there is none. When this resolves it will not come back. */
  remove(name: ObjectName): Promise<void>;
  /** A small document, apart from the objects, that changes. Undefined: there is none of this name. */
  readDocument(name: ObjectName): Promise<VersionedDocument | undefined>;
  /**
   * Changes it, if it still has this version; `undefined` is the version of one that is not there. Answers the new
   * version, or undefined where somebody else was quicker. If it rejects, either content may be there.
   */
  changeDocument(name: ObjectName, bytes: Buffer, version: string | undefined): Promise<string | undefined>;
  /** What was begun has to be over. */
  close(): Promise<void>;
}

/** For those who only read: another process may write meanwhile. */
export type ReadableObjects = Pick<Objects, "read" | "readNow" | "sizeBytes" | "list" | "readDocument" | "close">;

export class AbsentObjectError extends Error {
  override name = "AbsentObjectError";
  readonly objectName: ObjectName;

  constructor(objectName: ObjectName) {
    super(`the store has no object ${objectName}`);
    this.objectName = objectName;
  }
}
