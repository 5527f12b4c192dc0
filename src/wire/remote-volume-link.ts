/**
 * A volume's link to an appliance in another process. Batches are made in memory of this process, and leave as they lie
 * there. What was sent and is lost is not sent again: that is for whoever attaches anew.
 *
 *     making ─commit─▶ outbox ─▶ leaving ─▶ on the way ─▶ acknowledged
 *
 * Invariants: sentBytes <= grantedBytes; acknowledgedOrdinal <= lastOrdinal.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { batchBytesMax, volumeFlushCountMax } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import type { BatchShare, BatchSpace } from "#src/records/batch-share.ts";
import { recordType } from "#src/records/record.ts";
import { frameType } from "./frame.ts";
import type { FrameChannel } from "./frame-channel.ts";
import { encodeNumbers } from "./numbers.ts";
import type { BatchMemory, FlushDone, VolumeLink, VolumeReceiver } from "./volume-link.ts";
import { type Flushed, noOrder, type Progress } from "./volume-messages.ts";

interface MadeBatch {
  readonly slab: BatchSpace;
  readonly start: number;
  readonly end: number;
}

/** Within its own connection, a volume has one number for all. */
const volumeNumber = 1;

export class RemoteVolumeLink implements VolumeLink {
  readonly #channel: FrameChannel;
  readonly #memory: BatchShare;
  readonly #receiver: VolumeReceiver;
  readonly #builder = new BatchBuilder();
  /** Of the batch in the making. */
  #slab: BatchSpace | undefined;
  #start = 0;
  readonly #outbox: MadeBatch[] = [];
  #leaving: BatchSpace | undefined;
  #lastOrdinal: number;
  #progress: Progress;
  #sentBytes = 0;
  #madeBytes = 0;
  readonly #flushes = new Map<number, FlushDone>();
  #lastFlush = 0;
  #askedFlush = 0;
  #durableOrdinal = 0;
  #toldDurableOrdinal = 0;
  #isOver = false;

  constructor(channel: FrameChannel, memory: BatchShare, receiver: VolumeReceiver, lastOrdinal: number) {
    this.#channel = channel;
    this.#memory = memory;
    this.#receiver = receiver;
    this.#lastOrdinal = lastOrdinal;
    this.#progress = { acknowledged: 0, pressure: 0, grantedBytes: 0, remoteOrdinal: 0 };
  }

  get pressure(): number {
    return this.#progress.pressure;
  }

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  get remoteOrdinal(): number {
    return this.#progress.remoteOrdinal;
  }

  get memory(): BatchMemory {
    assert(this.#slab !== undefined, "a batch is being made");
    return this.#slab;
  }

  hasRoomFor(payloadBlocks: number): boolean {
    if (this.#isOver) return false;
    if (this.#slab === undefined && !this.#begin()) return false;
    return this.#builder.hasRoomFor(payloadBlocks);
  }

  /** A batch is begun when a largest one has memory, and may be sent. */
  #begin(): boolean {
    if (this.#madeBytes + batchBytesMax > this.#progress.grantedBytes) return false;
    const slab = this.#memory.current;
    if (slab === undefined) return false;
    slab.hold();
    this.#slab = slab;
    this.#start = slab.usedBytes;
    // Other volumes make their batches in the same slab at the same time.
    slab.usedBytes += batchBytesMax;
    this.#builder.begin(slab.buffer, this.#start);
    return true;
  }

  addWrite(startBlock: number, blockCount: number, bytes: Buffer, from: number): number {
    const record = { type: recordType.write, volume: volumeNumber, startBlock, blockCount, ordinal: this.#next() };
    return this.#builder.addWrite(record, bytes, from);
  }

  addRange(type: number, startBlock: number, blockCount: number): void {
    this.#builder.add({ type, volume: volumeNumber, startBlock, blockCount, ordinal: this.#next() });
  }

  #next(): number {
    assert(this.#slab !== undefined && !this.#isOver, "there is room for what is added");
    return ++this.#lastOrdinal;
  }

  commit(): void {
    const slab = this.#slab;
    if (slab === undefined || this.#builder.recordCount === 0 || this.#isOver) return;
    const start = this.#start;
    const end = start + this.#builder.finish(noOrder);
    if (slab.usedBytes === start + batchBytesMax) slab.usedBytes = end;
    this.#slab = undefined;
    this.#madeBytes += end - start;
    this.#outbox.push({ slab, start, end });
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#leaving === undefined && this.#channel.isOpen) {
      const batch = this.#outbox.shift();
      if (batch === undefined) return;
      this.#sentBytes += batch.end - batch.start;
      assert(this.#sentBytes <= this.#progress.grantedBytes, "no more is sent than there is credit for");
      const isTaken = this.#channel.sendBulk(frameType.records, [batch.slab.buffer.subarray(batch.start, batch.end)]);
      if (isTaken) batch.slab.release();
      else this.#leaving = batch.slab;
    }
  }

  flush(done: FlushDone): void {
    this.commit();
    // What is still in the outbox would be overtaken by it; its turn comes with the last of that.
    const id = ++this.#lastFlush;
    assert(this.#flushes.size < volumeFlushCountMax, "flushes that wait are bounded by the requests of clients");
    this.#flushes.set(id, done);
    this.#askForFlushes();
  }

  /** A flush includes all that was asked for before it, so that only the last one is sent. */
  #askForFlushes(): void {
    if (this.#askedFlush === this.#lastFlush || this.#outbox.length > 0 || this.#channel.isBlocked) return;
    this.#askedFlush = this.#lastFlush;
    this.#channel.send(frameType.flush, encodeNumbers(this.#lastFlush));
  }

  reportDurable(ordinal: number): void {
    this.#durableOrdinal = Math.max(this.#durableOrdinal, ordinal);
    this.#tellDurable();
  }

  #tellDurable(): void {
    if (this.#toldDurableOrdinal === this.#durableOrdinal || this.#channel.isBlocked) return;
    this.#toldDurableOrdinal = this.#durableOrdinal;
    this.#channel.send(frameType.sourceDurable, encodeNumbers(this.#durableOrdinal));
  }

  detach(): void {
    if (this.#isOver) return;
    this.#end();
    this.#flushes.clear();
    this.#channel.part(new ReconnectError("the interceptor has detached the volume"));
  }

  // What the channel brings

  progressed(progress: Progress): void {
    const before = this.#progress;
    if (Math.max(progress.acknowledged, progress.remoteOrdinal) > this.#lastOrdinal) {
      throw new RefuseError("the appliance acknowledged what it never got");
    }
    if (progress.grantedBytes < before.grantedBytes || progress.remoteOrdinal < before.remoteOrdinal) {
      throw new RefuseError("the appliance took back what it had said");
    }
    this.#progress = progress;
    if (this.#isOver) return;
    if (progress.acknowledged > before.acknowledged) this.#receiver.acknowledged(progress.acknowledged);
    if (!this.#isOver && progress.remoteOrdinal > before.remoteOrdinal) this.#receiver.remoteDurable();
    const hasMoreCredit = progress.grantedBytes > before.grantedBytes;
    if (!this.#isOver && (hasMoreCredit || (before.pressure >= 1 && progress.pressure < 1))) {
      this.#receiver.roomAgain();
    }
  }

  /** Answers all flushes up to this one. */
  flushed({ id, error, neededRemote }: Flushed): void {
    for (const [waiting, done] of this.#flushes) {
      if (waiting > id) return;
      this.#flushes.delete(waiting);
      done(error, neededRemote);
    }
  }

  drained(hasFreedBulk: boolean): void {
    if (hasFreedBulk) {
      this.#leaving?.release();
      this.#leaving = undefined;
    }
    this.#sendNext();
    this.#askForFlushes();
    this.#tellDurable();
  }

  /** Memory is free again. */
  roomAgain(): void {
    if (!this.#isOver) this.#receiver.roomAgain();
  }

  lose(error: Error): void {
    const wasOver = this.#isOver;
    this.#end();
    if (wasOver) return;
    const flushes = [...this.#flushes.values()];
    this.#flushes.clear();
    for (const done of flushes) done(error);
    this.#receiver.lost(error);
  }

  /** Gives back all memory that is not leaving. */
  #end(): void {
    this.#isOver = true;
    for (const { slab } of this.#outbox.splice(0)) slab.release();
    this.#slab?.release();
    this.#slab = undefined;
  }

  /** The connection needs no memory any more. */
  over(): void {
    this.#leaving?.release();
    this.#leaving = undefined;
    this.#memory.leave();
  }
}
