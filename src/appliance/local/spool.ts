/**
 * The local appliance's log on disk: what is appended here is redone onto the source after a crash, and sent to the
 * remote until that has it. A row of files of one size that are used again when what is in them was released.
 *
 * Invariants: durableSeq <= lastSeq, and releasedSeq < lastSeq, or all are 0; what is after releasedSeq is in the files, and
 * the first of it is durable; a batch becomes durable only together with the header of its file and the name of that file.
 * So the newest record that was ever durable is never released, and what it says (epoch, time, seq) is known at the next
 * start. Where a start finds that seq is released, all behind it up to durableSeq is there.
 */
import { dirname } from "node:path";
import { assert } from "#src/core/assert.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import {
  batchAlignmentBytes,
  logFileHeaderBytes,
  spoolEpochReserveBytes,
  spoolReservingSegmentBytesMin,
  spoolSegmentBytesMax,
  spoolSegmentBytesMin,
} from "#src/core/limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
import { batchEpochAt, batchPositionAt } from "#src/records/batch.ts";
import { spoolFailure, spoolStop } from "./spool-failure.ts";
import { type FoundBatch, SpoolHeads } from "./spool-heads.ts";
import { SpoolIndex } from "./spool-index.ts";
import type { SpoolOptions } from "./spool-options.ts";
import { type SpoolRead, SpoolReader, type VisitRecord } from "./spool-reader.ts";
import { emptySpool, type RecoveredSpool, recoverSpool } from "./spool-recovery.ts";
import { SpoolSegments } from "./spool-segments.ts";

/** A release that found no room on the disk is tried again so much later. */
const releaseAgainMs = 250;

export interface AppendedFacts {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly timeMicros: number;
}

export class Spool {
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #incarnation: number;
  readonly #segmentBytes: number;
  readonly #segments: SpoolSegments;
  readonly #index: SpoolIndex;
  readonly #reader: SpoolReader;
  readonly #heads: SpoolHeads;
  readonly #droppedRecordCount: number;
  #lastSeq: number;
  #lastEpoch: number;
  #lastTimeMicros: number;
  #durableSeq: number;
  #releasedSeq: number;
  #releaseWanted = 0;
  #isReleasing = false;
  #failure: StopError | undefined;
  #isClosed = false;

  private constructor(
    machine: Machine,
    folder: string,
    options: SpoolOptions,
    index: SpoolIndex,
    found: RecoveredSpool,
  ) {
    const { group, incarnation, limitBytes } = options;
    const { segmentBytes } = found;
    this.#machine = machine;
    this.#folder = folder;
    this.#incarnation = incarnation;
    this.#segmentBytes = segmentBytes;
    this.#index = index;
    const { files, clock } = machine;
    const identity = { group, incarnation, segmentBytes };
    this.#segments = new SpoolSegments({ files, clock, folder, identity, limitBytes });
    this.#segments.adopt(found.live, found.free);
    this.#reader = new SpoolReader(this.#segments, index, clock, incarnation);
    this.#heads = new SpoolHeads(this.#segments, incarnation);
    this.#droppedRecordCount = found.droppedRecordCount;
    this.#lastSeq = found.lastSeq;
    this.#lastEpoch = found.lastEpoch;
    this.#lastTimeMicros = found.lastTimeMicros;
    this.#durableSeq = found.lastSeq;
    this.#releasedSeq = found.releasedSeq;
  }

  /** Everything that it is found to hold is durable when this resolves. One process at a time. */
  static async open(machine: Machine, folder: string, options: SpoolOptions): Promise<Spool> {
    const { segmentBytes, limitBytes, knownDurableSeq, dropping = () => Promise.resolve() } = options;
    const isWhole = segmentBytes % batchAlignmentBytes === 0;
    if (!isWhole || segmentBytes < spoolSegmentBytesMin || segmentBytes > spoolSegmentBytesMax) {
      throw new RefuseError(`segments of a spool cannot have ${segmentBytes} bytes`);
    }
    const index = new SpoolIndex(limitBytes);
    const identity = { group: options.group, incarnation: options.incarnation, segmentBytes };
    const found = await recoverSpool({ machine, folder, identity, knownDurableSeq, index, dropping });
    if (found !== undefined) {
      // The one who made it may have come no further than that.
      if (options.isNew) await whenDone((done) => machine.files.syncFolder(dirname(folder), done));
      return new Spool(machine, folder, options, index, found);
    }
    if (!options.isNew) throw new StopError(`the spool in ${folder} is gone, and what was in it`);
    return Spool.#create(machine, folder, options, index);
  }

  static async #create(machine: Machine, folder: string, options: SpoolOptions, index: SpoolIndex): Promise<Spool> {
    const { files } = machine;
    let spool: Spool | undefined;
    try {
      files.makeFolder(folder);
      spool = new Spool(machine, folder, options, index, { ...emptySpool, segmentBytes: options.segmentBytes });
      const segments = spool.#segments;
      segments.roll(1, 0);
      await whenDone((done) => segments.sync(0, done));
      await whenDone((done) => files.syncFolder(dirname(folder), done));
      return spool;
    } catch (error) {
      spool?.close();
      throw spoolFailure(folder, "made", error as NodeJS.ErrnoException);
    }
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /** Of the oldest record that it holds; the next one's if it holds none. */
  get firstSeq(): number {
    const { firstSeq } = this.#segments.oldest;
    return firstSeq === 0 ? this.#lastSeq + 1 : firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** 0 if it holds no record. */
  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  get lastTimeMicros(): number {
    return this.#lastTimeMicros;
  }

  get durableSeq(): number {
    return this.#durableSeq;
  }

  get releasedSeq(): number {
    return this.#releasedSeq;
  }

  /** Dropped when it was opened, because it was never known to be durable. */
  get droppedRecordCount(): number {
    return this.#droppedRecordCount;
  }

  /** Behind the last batch. */
  get endPosition(): number {
    return this.#segments.current.endPosition;
  }

  get usedBytes(): number {
    return this.endPosition - this.#segments.oldest.basePosition;
  }

  /** Whether a batch of this span would not fit into what the limit allows. */
  isFull(spanBytes: number): boolean {
    return this.#segments.current.endOffset + spanBytes > this.#ordinaryBytes && this.#segments.isFull;
  }

  /** Of a segment, without what it keeps for the beginning of an epoch. */
  get #ordinaryBytes(): number {
    const isReserving = this.#segmentBytes >= spoolReservingSegmentBytesMin;
    return isReserving ? this.#segmentBytes - spoolEpochReserveBytes : this.#segmentBytes;
  }

  /**
   * Where a batch of this span will begin: its header is bound to that. A `RetryError`: there is no room at present.
   * `beginsEpoch`: it may take what is kept for that.
   */
  nextPosition(spanBytes: number, { beginsEpoch = false } = {}): number {
    this.#assertAlive();
    const roomBytes = beginsEpoch ? this.#segmentBytes : this.#ordinaryBytes;
    assert(spanBytes <= this.#ordinaryBytes - logFileHeaderBytes, "a batch fits into a segment");
    if (this.#segments.current.endOffset + spanBytes > roomBytes) {
      try {
        this.#segments.roll(this.#lastSeq + 1, this.#releasedSeq);
      } catch (error) {
        throw this.#failed("extended", error as NodeJS.ErrnoException);
      }
    }
    return this.endPosition;
  }

  /** Writes a batch that was bound to `nextPosition`. A `RetryError`: nothing was appended, the same may work later. */
  append(buffer: Buffer, start: number, spanBytes: number, facts: AppendedFacts): void {
    this.#assertAlive();
    const { firstSeq, lastSeq, timeMicros } = facts;
    const position = this.endPosition;
    const epoch = batchEpochAt(buffer, start);
    assert(
      epoch > this.#lastEpoch || (epoch === this.#lastEpoch && firstSeq === this.#lastSeq + 1),
      "no seq is left out",
    );
    assert(batchPositionAt(buffer, start) === position, "a batch is bound to where it is written");
    assert(spanBytes % batchAlignmentBytes === 0 && firstSeq > this.#lastSeq, "batches are whole and in order");
    try {
      this.#write(buffer, start, spanBytes);
    } catch (error) {
      throw this.#failed("written to", error as NodeJS.ErrnoException);
    }
    this.#segments.current.extend(spanBytes, firstSeq, lastSeq);
    this.#index.add(this.#lastSeq, position, timeMicros);
    this.#lastSeq = lastSeq;
    this.#lastEpoch = epoch;
    this.#lastTimeMicros = timeMicros;
  }

  /** What the spool itself keeps from the disk is not what it waits for. */
  #write(buffer: Buffer, start: number, spanBytes: number): void {
    try {
      this.#segments.append(buffer, start, spanBytes);
    } catch (error) {
      if (!isLackOfRoom(error) || !this.#segments.giveBack()) throw error;
      this.#segments.append(buffer, start, spanBytes);
    }
  }

  /** Everything that was appended before this call is durable when `done` is called without an error. */
  sync(done: DoneCallback): void {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#machine.clock.soon(() => done(failure));
      return;
    }
    const covered = this.#lastSeq;
    this.#sync(0, () => {
      if (this.#failure === undefined) {
        this.#durableSeq = Math.max(this.#durableSeq, covered);
        if (!this.#isClosed) this.#advanceRelease();
      }
      done(this.#failure ?? null);
    });
  }

  #sync(afterSeq: number, done: () => void): void {
    this.#segments.sync(afterSeq, (error) => {
      if (error !== null && this.#failure === undefined) this.#fail("synced", error);
      done();
    });
  }

  /** Records up to this one are not needed here any more. */
  release(seq: number): void {
    const wanted = Math.min(seq, this.#lastSeq);
    if (wanted <= this.#releaseWanted || this.#failure !== undefined) return;
    this.#releaseWanted = wanted;
    this.#advanceRelease();
  }

  /** Takes the step that is possible now. Where that needs syncs, and nobody may ever ask for one, they are made. */
  #advanceRelease(): void {
    if (this.#segments.freeReleased()) this.#index.release(this.#segments.oldest.basePosition);
    this.#releasedSeq = Math.max(this.#releasedSeq, Math.min(this.#releaseWanted, this.#durableSeq - 1));
    const reachableSeq = Math.min(this.#releaseWanted, this.#lastSeq - 1);
    if (this.#isReleasing || !this.#segments.isWorthReleasing(reachableSeq)) return;
    this.#isReleasing = true;
    this.#releaseUpTo(reachableSeq);
  }

  /**
   * First what follows becomes durable, then it is said that what was before may be missing, and when that is durable its
   * files are free. What is released itself need not reach the disk for that; so it is not said to be durable before the
   * end, since a start that does not know of the release would miss it.
   */
  #releaseUpTo(seq: number): void {
    const coveredSeq = this.#lastSeq;
    this.#syncForRelease(seq, () => {
      this.#releasedSeq = Math.max(this.#releasedSeq, seq);
      this.#segments.stateReleased(this.#releasedSeq);
      this.#syncForRelease(seq, () => {
        this.#isReleasing = false;
        this.#durableSeq = Math.max(this.#durableSeq, coveredSeq);
        this.#advanceRelease();
      });
    });
  }

  #syncForRelease(seq: number, next: () => void): void {
    this.#sync(seq, () => {
      if (this.#failure !== undefined || this.#isClosed) return;
      try {
        next();
      } catch (error) {
        this.#failed("written to", error as NodeJS.ErrnoException);
        if (this.#failure === undefined) this.#releaseLater();
      }
    });
  }

  /** Where the disk never writes over what is there, a header that is written anew takes room as well. */
  #releaseLater(): void {
    this.#segments.giveBack();
    this.#machine.clock.timer(releaseAgainMs, () => {
      this.#isReleasing = false;
      if (this.#failure === undefined && !this.#isClosed) this.#advanceRelease();
    });
  }

  /** Whole batches from `position` on, never across a file's end. Their headers are checked, what is in them is not. */
  read(position: number, buffer: Buffer, roomBytes = buffer.length): SpoolRead {
    return this.#reader.read(position, buffer, roomBytes);
  }

  /** What the batch at `position` says of its records, or the first one of the file behind it; undefined: the log ends. */
  headsAt(position: number): FoundBatch | undefined {
    return this.#heads.at(position);
  }

  /** Payload as it lies at `position`, unchecked. */
  readPayload(position: number, buffer: Buffer, start: number, byteLength: number): void {
    this.#reader.readPayload(position, buffer, start, byteLength);
  }

  /** What to say of content at `position` that is not what was written there. */
  damageAt(position: number, what: string): StopError {
    return this.#reader.damageAt(position, what);
  }

  /** Where the batch with the first record after `seq` begins; may read a little to find out. */
  positionAfter(seq: number): number {
    return seq >= this.#lastSeq ? this.endPosition : this.#reader.positionAfter(seq);
  }

  /** Bytes of log behind `seq`, from memory: up to an index step too many where that is long ago. */
  bytesAfter(seq: number): number {
    if (seq >= this.#lastSeq) return 0;
    const start = this.#segments.oldest.basePosition;
    return this.endPosition - Math.max(start, this.#index.find(seq)?.position ?? start);
  }

  /** The time of the first record after `seq`, from memory: somewhat earlier where that is long ago. Undefined: none. */
  timeAfter(seq: number): number | undefined {
    if (seq >= this.#lastSeq) return undefined;
    return this.#index.find(Math.max(seq, this.firstSeq - 1))?.timeMicros;
  }

  /**
   * Hands over every record after `afterSeq` that is there when this is called, in order, each checked. Where one does
   * not match its checksums the scan ends with a `StopError` that names it.
   */
  scan(afterSeq: number, visit: VisitRecord): Promise<void> {
    return this.#reader.scan(afterSeq, this.#lastSeq, visit);
  }

  /** For idle moments: one short step of writing ahead. Answers whether there is another one to do. */
  prepare(): boolean {
    if (this.#failure !== undefined || this.#isClosed) return false;
    try {
      return this.#segments.prepare();
    } catch {
      // Nothing depends on it; if the log itself cannot be written, that will be said then.
      this.#segments.stopPreparing();
      return false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#segments.close();
  }

  #assertAlive(): void {
    assert(!this.#isClosed, "a spool that was closed is not used");
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What to throw for an error of the disk. */
  #failed(what: string, error: NodeJS.ErrnoException): Error {
    const failure = spoolFailure(this.#folder, what, error);
    if (failure instanceof StopError) this.#failure = failure;
    return failure;
  }

  /** After a write or a sync that failed nobody knows what is on the disk. */
  #fail(what: string, cause: Error): StopError {
    this.#failure = spoolStop(this.#folder, what, cause);
    return this.#failure;
  }
}
