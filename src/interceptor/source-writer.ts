/**
 * Brings acknowledged records to the source: at once while it is fast, otherwise several at a time, those that overlap in
 * the order of their ordinals. After the first error nothing more is begun; that the source is full is none.
 */

import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import type { Log } from "#src/host/log.ts";
import { WriteOrder } from "#src/nbd/write-order.ts";
import { isOfBlocks, recordType } from "#src/records/record.ts";
import type { Flight } from "./flight.ts";
import { RecordInFlight, type RecordRunner } from "./record-in-flight.ts";
import type { Source } from "./source.ts";
import { SourceRoom } from "./source-room.ts";

export interface SourceWriterEvents {
  /** The record is in the source. */
  written(record: RecordInFlight): void;
  failed(error: Error): void;
  /** Something that took its time has ended; whatever follows from it is to be sent on. */
  settled(): void;
}

export interface SourceWriterParts {
  readonly source: Source;
  readonly flight: Flight;
  readonly clock: Clock;
  readonly log: Log;
  readonly hook: FaultHook | undefined;
}

/** Objects of records that are kept to be used again. */
const freeCountMax = 4096;

export class SourceWriter implements RecordRunner {
  readonly #source: Source;
  readonly #flight: Flight;
  readonly #events: SourceWriterEvents;
  readonly #hook: FaultHook | undefined;
  readonly #order = new WriteOrder();
  readonly #room: SourceRoom;
  readonly #free: RecordInFlight[] = [];
  /** Begun, and not written. */
  #openCount = 0;
  /** With the source. */
  #runningCount = 0;
  #writtenCount = 0;
  #writtenBytes = 0;
  #isOver = false;
  #idleWaiters: (() => void)[] = [];

  constructor({ source, flight, clock, log, hook }: SourceWriterParts, events: SourceWriterEvents) {
    this.#source = source;
    this.#flight = flight;
    this.#events = events;
    this.#hook = hook;
    this.#room = new SourceRoom(clock, log, this);
  }

  /** It has no room for some of what it has to get. */
  get isFull(): boolean {
    return this.#room.isShort;
  }

  /** Counts the records that changed the source: whoever remembers it knows whether a sync would be for nothing. */
  get writtenCount(): number {
    return this.#writtenCount;
  }

  /** What the order got and the source has, whoever brought it there. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  take(): RecordInFlight {
    const record = this.#free.pop() ?? new RecordInFlight(this);
    record.isWritten = false;
    record.isFromSource = false;
    return record;
  }

  /** Begins all records that are acknowledged. */
  begin(): void {
    while (!this.#isOver) {
      const record = this.#flight.takeAcknowledged();
      if (record === undefined) return;
      this.#begin(record);
    }
  }

  #begin(record: RecordInFlight): void {
    assert(record.ordinal <= this.#flight.acknowledgedOrdinal, "ahead: the appliance has what the source gets");
    this.#openCount++;
    if (record.isFromSource || !isOfBlocks(record.type)) {
      this.#writtenBytes += payloadBytesOf(record);
      this.#written(record);
    } else if (
      record.type === recordType.write &&
      this.#order.isFree(record.startBlock, record.blockCount) &&
      this.#source.mayWriteNow()
    ) {
      this.#writeNow(record);
    } else this.#order.enter(record);
  }

  #writeNow(record: RecordInFlight): void {
    try {
      this.#hook?.("interceptor.before-source");
      this.#source.writeNow(record.buffer, record.payloadAt, this.#bytesOf(record), record.startBlock * blockBytes);
      this.#hook?.("interceptor.after-source");
    } catch (error) {
      // With a turn it can wait.
      if (isLackOfSpace(error)) this.#order.enter(record);
      else this.#fail(error as Error);
      return;
    }
    this.#count(record);
    this.#written(record);
  }

  /** The record has its turn. */
  run(record: RecordInFlight): void {
    if (this.#isOver) return;
    this.#runningCount++;
    record.isRunning = true;
    const { buffer, payloadAt, startBlock } = record;
    const position = startBlock * blockBytes;
    const length = this.#bytesOf(record);
    const fault = this.#ordered("interceptor.before-source");
    if (fault !== null) return record.done(fault);
    if (record.type === recordType.write) this.#source.write(buffer, payloadAt, length, position, record.done);
    else this.#source.clear(position, length, record.type === recordType.zero, record.done);
  }

  ran(record: RecordInFlight, failure: Error | null): void {
    this.#runningCount--;
    record.isRunning = false;
    const error = failure ?? this.#ordered("interceptor.after-source");
    if (error !== null && isLackOfSpace(error) && !this.#isOver) return this.#room.wait(record, error);
    if (error !== null) this.#fail(error);
    if (this.#isOver) {
      record.letGo();
      return this.#tellIfIdle();
    }
    this.#count(record);
    this.#order.leave(record);
    this.#written(record);
    this.#room.left(record);
    this.#events.settled();
  }

  #ordered(place: string): Error | null {
    try {
      this.#hook?.(place);
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** The volume may end within its last block. */
  #bytesOf(record: RecordInFlight): number {
    const position = record.startBlock * blockBytes;
    return Math.min(record.blockCount * blockBytes, this.#source.sizeBytes - position);
  }

  #count(record: RecordInFlight): void {
    this.#writtenCount++;
    this.#writtenBytes += payloadBytesOf(record);
  }

  #written(record: RecordInFlight): void {
    this.#openCount--;
    record.letGo();
    this.#events.written(record);
    this.#flight.written(record, this.#retire);
    this.#tellIfIdle();
  }

  /** A function once and for all, since it is handed over with each record. */
  readonly #retire = (record: RecordInFlight): void => {
    record.owner = undefined;
    if (this.#free.length < freeCountMax) this.#free.push(record);
  };

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.failed(error);
  }

  /** Begins nothing more, and lets go of all that is not with the source. Long clears are redone at the next start. */
  end(): void {
    this.#isOver = true;
    this.#source.endClears();
    this.#room.end();
    this.#flight.forEach((record) => {
      if (!record.isRunning) record.letGo();
    });
    this.#tellIfIdle();
  }

  /** Resolves when nothing is with the source, and all that was begun is written or never will be. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#runningCount === 0 && (this.#isOver || this.#openCount === 0);
  }

  #tellIfIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.#isIdle) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

function payloadBytesOf({ type, blockCount }: RecordInFlight): number {
  return type === recordType.write ? blockCount * blockBytes : 0;
}
