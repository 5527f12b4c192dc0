/**
 * The order of a group: gives batches their place, and writes them to the spool. Everything that enters the order, a
 * host's writes as well as the appliance's own records, comes through `commit`.
 *
 * Invariants: seqs grow by one within an epoch; no record has a seq above the ceiling that is durably reserved; a batch
 * is in the spool before anyone is told of it.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp } from "#src/core/byte-range.ts";
import { RetryError } from "#src/core/errors.ts";
import { batchAlignmentBytes, batchBytesMax } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import { BatchBuilder, type NewRecord } from "#src/records/batch-builder.ts";
import type { BatchShare, BatchSpace } from "#src/records/batch-share.ts";
import { BatchSlab } from "#src/records/batch-slab.ts";
import { encodeExtra, recordType, wholeGroup } from "#src/records/record.ts";
import type { GroupStateFile } from "./group-state.ts";
import { RecordClock } from "./record-clock.ts";
import type { Spool } from "./spool.ts";

/** A batch that has its place. Used again for the next one: whoever needs a part of it longer takes it out. */
export interface Appended {
  readonly memory: BatchSpace;
  readonly start: number;
  readonly spanBytes: number;
  readonly position: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface OrderParts {
  readonly spool: Spool;
  readonly state: GroupStateFile;
  readonly memory: BatchShare;
  readonly clock: Clock;
  readonly epoch: number;
  readonly lastSeq: number;
  readonly lastTimeMicros: number;
  /** Seqs that are reserved at a time. */
  readonly seqReserve: number;
  readonly appended: (batch: Appended) => void;
  /** What was in the making gets no place: nobody may count it among what comes next. */
  readonly dropped: () => void;
  /** The spool or the group's state cannot be written any more. */
  readonly failed: (error: Error) => void;
  readonly hook: FaultHook | undefined;
  /** All memory that this group may have is held. */
  readonly memoryShort: () => void;
  /** There is no room: `tryAgain` is to be called from time to time. */
  readonly stuck: () => void;
  /** There is room again after there was none. */
  readonly roomAgain: () => void;
}

const nobodys = -1;
const severals = -2;

export class Order {
  readonly #parts: OrderParts;
  readonly #builder = new BatchBuilder();
  readonly #recordClock: RecordClock;
  #slab: BatchSpace | undefined;
  /** Where the batch in the making begins in it. */
  #start = 0;
  /** Which volume's records are in it, besides the appliance's own. */
  #openVolume: number = nobodys;
  #openOrdinal = 0;
  #epoch: number;
  #lastSeq: number;
  #isReserving = false;
  #isBeginningEpoch = false;
  /** The spool has no room for the batch that is complete; it will be tried again. */
  #isStuck = false;
  #isOver = false;

  constructor(parts: OrderParts) {
    this.#parts = parts;
    this.#epoch = parts.epoch;
    this.#lastSeq = parts.lastSeq;
    this.#recordClock = new RecordClock(parts.lastTimeMicros);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Of the last record that has its place. */
  get lastTimeMicros(): number {
    return this.#recordClock.lastMicros;
  }

  /** What the batch in the making lies in. */
  get memory(): BatchSpace {
    assert(this.#slab !== undefined, "a batch is being made");
    return this.#slab;
  }

  get isStuck(): boolean {
    return this.#isStuck;
  }

  hasRoomFor(payloadBlocks: number, extraBytes = 0): boolean {
    // One for the record to come, and two for what the appliance may add to it.
    if (this.#isStuck || this.#isOver || !this.#hasSeqsFor(this.openRecordCount + 3)) return false;
    if (this.#slab === undefined && !this.#begin()) {
      this.#parts.memoryShort();
      return false;
    }
    return this.#builder.hasRoomFor(payloadBlocks, extraBytes);
  }

  #begin(): boolean {
    const slab = this.#parts.memory.current;
    if (slab === undefined) return false;
    this.#makeIn(slab);
    return true;
  }

  /** Other groups make batches in the same slab, also while this one waits for room in its spool: so it has its place. */
  #makeIn(slab: BatchSpace): void {
    slab.hold();
    this.#slab = slab;
    this.#openVolume = nobodys;
    this.#start = slab.usedBytes;
    slab.usedBytes += batchBytesMax;
    this.#builder.begin(slab.buffer, this.#start);
  }

  /** What a largest batch would have needed besides can be had by the next, unless somebody is behind it already. */
  #giveBackRest(slab: BatchSpace, spanBytes: number): void {
    if (slab.usedBytes === this.#start + batchBytesMax) slab.usedBytes = this.#start + spanBytes;
  }

  addWrite(record: NewRecord, bytes: Buffer, from: number): number {
    this.#noteVolume(record);
    return this.#builder.addWrite(record, bytes, from);
  }

  add(record: NewRecord, extra?: Buffer): void {
    this.#noteVolume(record);
    this.#builder.add(record, extra);
  }

  #noteVolume({ volume, ordinal }: NewRecord): void {
    if (this.#openVolume !== volume) this.#openVolume = this.#openVolume === nobodys ? volume : severals;
    this.#openOrdinal = ordinal;
  }

  /**
   * What a volume added behind this ordinal before it lost its link, and nobody has acknowledged, is not to get its place
   * any more. False: it waits for room among what others have added, and will.
   */
  forgetBehind(volume: number, ordinal: number): boolean {
    if (this.openRecordCount === 0) return true;
    if (this.#openVolume === severals) return false;
    if (this.#openVolume === volume && this.#openOrdinal > ordinal) this.#drop();
    return true;
  }

  get openRecordCount(): number {
    return this.#slab === undefined ? 0 : this.#builder.recordCount;
  }

  /** What is in the making gets its place. */
  commit(): void {
    const slab = this.#slab;
    if (slab === undefined || this.#isStuck || this.#isOver || this.#builder.recordCount === 0) return;
    const batch = this.#append(slab);
    if (batch === undefined) return;
    this.#slab = undefined;
    this.#parts.appended(batch);
    slab.release();
    this.#noteJump();
  }

  #append(slab: BatchSpace): Appended | undefined {
    const { clock, spool, state, hook } = this.#parts;
    const spanBytes = alignUp(this.#builder.byteLength, batchAlignmentBytes);
    const firstSeq = this.#lastSeq + 1;
    const lastSeq = this.#lastSeq + this.#builder.recordCount;
    const start = this.#start;
    assert(lastSeq <= state.state.seqCeiling, "no seq is given that was not reserved");
    try {
      const position = spool.nextPosition(spanBytes, { beginsEpoch: this.#isBeginningEpoch });
      const timeMicros = this.#recordClock.next(clock.wallMs(), clock.monotonicMs());
      const { incarnation, durableSeq } = spool;
      this.#builder.finish({ epoch: this.#epoch, firstSeq, timeMicros, incarnation, position, durableSeq });
      hook?.("local.before-spool");
      spool.append(slab.buffer, start, spanBytes, { firstSeq, lastSeq, timeMicros });
      hook?.("local.after-spool");
      this.#lastSeq = lastSeq;
      this.#giveBackRest(slab, spanBytes);
      return { memory: slab, start, spanBytes, position, firstSeq, lastSeq };
    } catch (error) {
      this.#couldNotAppend(error as Error);
      return undefined;
    }
  }

  /** A full disk is waited for; anything else is the end. */
  #couldNotAppend(error: Error): void {
    if (error instanceof RetryError) {
      this.#isStuck = true;
      this.#parts.stuck();
      return;
    }
    this.#isOver = true;
    this.#parts.failed(error);
  }

  /** The spool may have room again. */
  tryAgain(): void {
    if (!this.#isStuck) return;
    this.#isStuck = false;
    this.commit();
    if (!this.#isStuck) this.#parts.roomAgain();
  }

  /** Without room it is noted behind a later batch. */
  #noteJump(): void {
    if (!this.canPlace) return;
    const jumpedTo = this.#recordClock.takeJump();
    if (jumpedTo !== undefined) this.place(recordType.clock, wholeGroup, { wallMicros: jumpedTo });
  }

  /** Whether `place` would find room. */
  get canPlace(): boolean {
    return !this.#isStuck && !this.#isOver && this.#hasSeqsFor(1);
  }

  /**
   * Puts a record of the appliance's own into the order, behind everything added so far; answers its seq. Undefined: there
   * is no room in the spool, where it may get its place later, no seq that was reserved, or no order any more.
   */
  place(type: number, volume: number, content?: object): number | undefined {
    this.commit();
    if (!this.canPlace) return undefined;
    if (this.#slab === undefined && !this.#begin()) this.#beginOwn();
    const extra = content === undefined ? undefined : encodeExtra(content);
    this.#builder.add({ type, volume, startBlock: 0, blockCount: 0, ordinal: 0 }, extra);
    const seq = this.#lastSeq + 1;
    this.commit();
    return this.#lastSeq === seq || this.#lastSeq > seq ? seq : undefined;
  }

  /** Likewise, of the records that an epoch begins with: for these the spool keeps some room. */
  placeAtBeginning(type: number, volume: number, content: object): number | undefined {
    this.#isBeginningEpoch = true;
    const seq = this.place(type, volume, content);
    this.#isBeginningEpoch = false;
    return seq;
  }

  /** Likewise; but what finds no room now is not placed later either. */
  placeNowOrNever(type: number, volume: number, content?: object): number | undefined {
    this.commit();
    if (!this.canPlace) return undefined;
    const seq = this.place(type, volume, content);
    if (seq === undefined) this.#drop();
    return seq;
  }

  #drop(): void {
    if (this.#slab !== undefined) this.#parts.dropped();
    this.#slab?.release();
    this.#slab = undefined;
  }

  /** When writers hold all memory, the records that could set them free still need some. */
  #beginOwn(): void {
    this.#makeIn(new BatchSlab(batchBytesMax, () => {}));
  }

  /** Begins an epoch with the record that makes the jump of the seq legal. */
  beginEpoch(epoch: number, seq: number): void {
    const previous = { previousEpoch: this.#epoch, previousLastSeq: this.#lastSeq };
    assert(
      seq > this.#lastSeq && epoch > this.#epoch && this.openRecordCount === 0,
      "an epoch begins ahead of all there is",
    );
    this.#epoch = epoch;
    this.#lastSeq = seq - 1;
    const placed = this.placeAtBeginning(recordType.epoch, wholeGroup, previous);
    if (placed === undefined && !this.#isOver)
      throw new RetryError("there is no room in the spool for a new epoch's first record");
  }

  /** Seqs are reserved well ahead, so that nobody waits for it but where the disk stands still. */
  #hasSeqsFor(recordCount: number): boolean {
    const { state, seqReserve, failed, roomAgain } = this.#parts;
    const left = state.state.seqCeiling - this.#lastSeq;
    if (left < seqReserve / 2 && !this.#isReserving) {
      this.#isReserving = true;
      // In memory it would hold at once, so it is put there only when it is durable.
      state.reserve(this.#lastSeq + seqReserve).then(
        () => {
          this.#isReserving = false;
          roomAgain();
        },
        (error: Error) => failed(error),
      );
    }
    return left >= recordCount;
  }

  /** Nothing more is given a place. */
  end(): void {
    this.#isOver = true;
    this.#drop();
  }
}
