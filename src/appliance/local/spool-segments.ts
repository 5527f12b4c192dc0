/**
 * The files of a spool: the ones that the log lies in, and the free ones that it will go on in.
 *
 * Invariants: `live` is never empty, its files follow each other without a gap, and the last one is written to; no file
 * of `free` holds a record that is not released; there are at most `countMax` files, and at least one more than `live`
 * has when `isFull` says no.
 */
import { join } from "node:path";
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { RetryError } from "#src/core/errors.ts";
import { spoolPreparePieceBytes, spoolReleaseCount, spoolReleaseShare } from "#src/core/limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import { isLackOfDescriptors } from "#src/host/lack-of-room.ts";
import { logFileMagic } from "#src/records/log-file.ts";
import { SpoolSegment } from "./spool-segment.ts";

export interface SpoolIdentity {
  /** Hexadecimal. */
  readonly group: string;
  readonly incarnation: number;
  readonly segmentBytes: number;
}

const ending = ".segment";
const nameDigits = 8;

export function segmentNames(files: Files, folder: string): string[] {
  if (!files.exists(folder)) return [];
  return files.list(folder).filter((name) => name.endsWith(ending) && /^\d+$/.test(name.slice(0, -ending.length)));
}

export interface SpoolSegmentsParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly folder: string;
  readonly identity: SpoolIdentity;
  readonly limitBytes: number;
}

export class SpoolSegments {
  readonly #parts: SpoolSegmentsParts;
  readonly #countMax: number;
  /** So many files become free together: that costs two syncs. */
  readonly #releaseCount: number;
  readonly #live: SpoolSegment[] = [];
  readonly #free: SpoolSegment[] = [];
  /** Of these the one whose header may say already that it has the place of the next. */
  #begun: SpoolSegment | undefined;
  /** Of those that the log lies in, and free ones that were released before they were ever synced. */
  readonly #dirty = new Set<SpoolSegment>();
  /** A new file that is being filled with zeros, and how far that is. */
  #prepared: SpoolSegment | undefined;
  #preparedBytes = 0;
  #mayNotPrepare = false;
  #nextNumber = 1;
  #folderChangeCount = 0;
  #folderSyncedCount = 0;
  /** What a durable header says to be released: files that held nothing beyond it are not missed. */
  #provenReleasedSeq = 0;
  #lastRead: SpoolSegment | undefined;
  /** Behind the last batch of the newest file that became free. */
  #freedEndPosition = 0;
  /** Another turn is due for files of which there are too many. */
  #isGivingBack = false;
  #isClosed = false;

  constructor(parts: SpoolSegmentsParts) {
    this.#parts = parts;
    this.#countMax = Math.max(2, divFloor(parts.limitBytes, parts.identity.segmentBytes));
    this.#releaseCount = Math.max(1, Math.min(spoolReleaseCount, Math.floor(this.#countMax * spoolReleaseShare)));
    for (const name of segmentNames(parts.files, parts.folder)) {
      this.#nextNumber = Math.max(this.#nextNumber, Number(name.slice(0, -ending.length)) + 1);
    }
  }

  get current(): SpoolSegment {
    return this.#live[this.#live.length - 1] as SpoolSegment;
  }

  get oldest(): SpoolSegment {
    return this.#live[0] as SpoolSegment;
  }

  get segmentBytes(): number {
    return this.#parts.identity.segmentBytes;
  }

  get #fileCount(): number {
    return this.#live.length + this.#free.length + (this.#prepared === undefined ? 0 : 1);
  }

  get isFull(): boolean {
    return this.#free.length === 0 && this.#prepared === undefined && this.#fileCount >= this.#countMax;
  }

  /** Takes over what a recovery found; everything that is dirty has been synced. */
  adopt(live: readonly SpoolSegment[], free: readonly SpoolSegment[]): void {
    this.#live.push(...live);
    this.#free.push(...free);
    if (live.length > 0) this.#provenReleasedSeq = this.current.releasedSeq;
  }

  /** Where to read on from a position: behind what is free by now if nothing was there. `undefined`: something was. */
  reachable(position: number): number | undefined {
    const { basePosition } = this.oldest;
    if (position >= basePosition) return position;
    return position >= this.#freedEndPosition ? basePosition : undefined;
  }

  /** Undefined: the position lies behind the last file. Positions before the oldest file are not asked for. */
  at(position: number): SpoolSegment | undefined {
    assert(position >= this.oldest.basePosition, "what was released is not asked for");
    return this.#live[divFloor(position - this.oldest.basePosition, this.#parts.identity.segmentBytes)];
  }

  /** The log goes on in another file. Nothing has changed if this throws. */
  roll(firstSeq: number, releasedSeq: number): void {
    const { group, incarnation, segmentBytes } = this.#parts.identity;
    const segment = this.#take();
    const basePosition = this.#live.length === 0 ? 0 : this.current.basePosition + segmentBytes;
    try {
      const magic = logFileMagic.spool;
      segment.begin({ magic, group, incarnation, basePosition, fullBytes: segmentBytes, firstSeq, releasedSeq });
    } catch (error) {
      // First in the row, since its header may say by now that it has this place, and no other file may.
      this.#free.unshift(segment);
      this.#begun = segment;
      throw error;
    }
    this.#dirty.add(segment);
    this.#live.push(segment);
    this.#mayNotPrepare = false;
  }

  #take(): SpoolSegment {
    const free = this.#free.shift();
    if (free !== undefined) return free;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared !== undefined) return prepared;
    if (this.isFull) throw new RetryError(`the spool in ${this.#parts.folder} is full`);
    return this.#create();
  }

  #create(): SpoolSegment {
    const { files, folder, identity } = this.#parts;
    const path = join(folder, String(this.#nextNumber).padStart(nameDigits, "0") + ending);
    const handle = files.create(path);
    this.#nextNumber++;
    this.#folderChangeCount++;
    const segment = new SpoolSegment(files, path, "readWrite", handle);
    segment.markDirty();
    try {
      handle.truncateNow(identity.segmentBytes);
    } catch (error) {
      this.#remove(segment);
      throw error;
    }
    return segment;
  }

  append(buffer: Buffer, start: number, spanBytes: number): void {
    const { current } = this;
    this.#dirty.add(current);
    current.writeNow(buffer, start, spanBytes, current.endOffset);
  }

  /** A `RetryError`: there was no descriptor to open the file with, and the same may work later. */
  readNow(segment: SpoolSegment, buffer: Buffer, lengthBytes: number, offset: number, start = 0): number {
    const last = this.#lastRead;
    this.#lastRead = segment;
    if (last !== undefined && last !== segment) this.#closeIfIdle(last);
    try {
      return segment.readNow(buffer, start, lengthBytes, offset);
    } catch (error) {
      if (!isLackOfDescriptors(error)) throw error;
      const { message } = error as Error;
      throw new RetryError(`the spool cannot be read for want of descriptors: ${message}`, { cause: error });
    }
  }

  #closeIfIdle(segment: SpoolSegment): void {
    if (segment !== this.current && segment !== this.#lastRead) segment.closeIfClean();
  }

  /**
   * All that was written and created before this call, but for files that hold nothing behind `afterSeq`; `done` is called
   * later.
   */
  sync(afterSeq: number, done: DoneCallback): void {
    const folderChangeCount = this.#folderChangeCount;
    const isFolderDirty = folderChangeCount > this.#folderSyncedCount;
    const segments = this.#live.filter((it) => this.#dirty.has(it) && (it === this.current || it.lastSeq > afterSeq));
    let pending = segments.length + (isFolderDirty ? 1 : 0);
    let failure: NodeJS.ErrnoException | null = null;
    if (pending === 0) this.#parts.clock.soon(() => done(null));
    const one = (error: NodeJS.ErrnoException | null): void => {
      failure ??= error;
      if (--pending === 0) done(failure);
    };
    for (const segment of segments) this.#syncOne(segment, one);
    if (!isFolderDirty) return;
    this.#parts.files.syncFolder(this.#parts.folder, (error) => {
      if (error === null) this.#folderSyncedCount = Math.max(this.#folderSyncedCount, folderChangeCount);
      one(error);
    });
  }

  #syncOne(segment: SpoolSegment, done: DoneCallback): void {
    const { releasedSeq } = segment;
    segment.sync((error) => {
      if (error === null) {
        this.#provenReleasedSeq = Math.max(this.#provenReleasedSeq, releasedSeq);
        if (!segment.isDirty && this.#dirty.delete(segment)) this.#closeIfIdle(segment);
      }
      done(error);
    });
  }

  /** Whether there are so many files that hold nothing beyond this that a sync is worth while, or any if room is short. */
  isWorthReleasing(releasedSeq: number): boolean {
    const last = this.#live[this.isFull ? 0 : this.#releaseCount - 1];
    return last !== undefined && last !== this.current && last.lastSeq <= releasedSeq;
  }

  /**
   * Says so in a header. Only when that is durable the files become free: what is written into them over what they held
   * may reach the disk before their own new header does.
   */
  stateReleased(releasedSeq: number): void {
    if (this.current.releasedSeq >= releasedSeq) return;
    this.#dirty.add(this.current);
    this.current.restate(releasedSeq);
  }

  /** Files that are not needed any more become free; answers whether there were any. */
  freeReleased(): boolean {
    const { oldest } = this;
    while (this.#live.length > 1 && this.oldest.lastSeq <= this.#provenReleasedSeq) {
      const segment = this.#live.shift() as SpoolSegment;
      if (this.#lastRead === segment) this.#lastRead = undefined;
      this.#freedEndPosition = segment.endPosition;
      this.#closeIfIdle(segment);
      this.#free.push(segment);
    }
    this.#giveBackSurplus();
    return oldest !== this.oldest;
  }

  /**
   * As many as come free at a time are used again; others are given back to the disk. One at a time, for that takes the longer,
   * the more of the file is in memory, and nobody is answered meanwhile.
   */
  #giveBackSurplus(): void {
    if (this.#isGivingBack || this.#isClosed || this.#free.length <= this.#releaseCount + 1) return;
    this.#remove(this.#free.shift() as SpoolSegment);
    this.#isGivingBack = true;
    this.#parts.clock.soon(() => {
      this.#isGivingBack = false;
      this.#giveBackSurplus();
    });
  }

  #remove(segment: SpoolSegment): void {
    this.#dirty.delete(segment);
    segment.close();
    try {
      this.#parts.files.remove(segment.path);
    } catch {
      // It is found again, and free again, when the spool is opened the next time.
    }
  }

  /** One step of filling the file ahead with zeros. False: there is nothing to do at the moment. */
  prepare(): boolean {
    const { segmentBytes } = this.#parts.identity;
    if (this.#free.length > 0 || this.#mayNotPrepare) return false;
    if (this.#prepared === undefined) {
      const isEarly = this.current.endOffset < segmentBytes / 2;
      if (isEarly || this.#fileCount >= this.#countMax) return false;
      this.#prepared = this.#create();
      this.#preparedBytes = 0;
    }
    const count = Math.min(spoolPreparePieceBytes, segmentBytes - this.#preparedBytes);
    this.#prepared.writeNow(Buffer.alloc(count), 0, count, this.#preparedBytes);
    this.#preparedBytes += count;
    return this.#preparedBytes < segmentBytes || this.#finishPreparing();
  }

  #finishPreparing(): false {
    const segment = this.#prepared as SpoolSegment;
    // Whether it worked is asked again when something is in it.
    segment.sync(() => {});
    this.#free.push(segment);
    this.#prepared = undefined;
    return false;
  }

  /** It could not be filled, as a rule for want of space: what is there already is given back, for the log itself. */
  stopPreparing(): void {
    if (this.#prepared !== undefined) this.#remove(this.#prepared);
    this.#prepared = undefined;
    this.#mayNotPrepare = true;
  }

  /**
   * The disk is full: what lies there only to be used again is given back to it, so that the log itself can go on. Answers
   * whether there was anything.
   */
  giveBack(): boolean {
    const spare = this.#free.filter((segment) => segment !== this.#begun);
    if (spare.length === 0 && this.#prepared === undefined) return false;
    this.stopPreparing();
    for (const segment of spare) this.#remove(segment);
    this.#free.splice(0, this.#free.length, ...this.#free.filter((segment) => segment === this.#begun));
    return true;
  }

  close(): void {
    this.#isClosed = true;
    for (const segment of [...this.#live, ...this.#free]) segment.close();
    this.#prepared?.close();
  }
}
