/**
 * All records on their way, in the order of their ordinals. They are acknowledged in that order, and reach the source in
 * almost any; what is told of both are watermarks.
 *
 *     ring   [ . . w W w W . . u u u . . ]     W: in the source, w: acknowledged, u: neither
 *                  ^head     ^head + started
 *
 * Invariants: appliedOrdinal <= acknowledgedOrdinal <= lastOrdinal; ordinals in the ring follow each other.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { hasPayload } from "#src/records/record.ts";
import type { RecordInFlight } from "./record-in-flight.ts";

interface FreeWaiter {
  readonly startBlock: number;
  readonly blockCount: number;
  readonly callback: () => void;
}

const slotsAtFirst = 64;

export class Flight {
  #ring: (RecordInFlight | undefined)[] = new Array(slotsAtFirst).fill(undefined);
  #head = 0;
  #count = 0;
  /** Of these, those that were taken by `takeAcknowledged`. */
  #started = 0;
  #lastOrdinal = 0;
  #acknowledgedOrdinal = 0;
  #payloadBytes = 0;
  #freeWaiters: FreeWaiter[] = [];

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  get acknowledgedOrdinal(): number {
    return this.#acknowledgedOrdinal;
  }

  /** Up to here all is in the source. */
  get appliedOrdinal(): number {
    return this.#count === 0 ? this.#lastOrdinal : this.#at(0).ordinal - 1;
  }

  get count(): number {
    return this.#count;
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  #at(index: number): RecordInFlight {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)] as RecordInFlight;
  }

  /**
   * The appliance has all up to this ordinal, and nothing else: what it lacks is to be added again, and is answered here.
   * The ordinals stay, unless it lost some that it had acknowledged, or others come first: their number is reserved.
   */
  rebase(lastOrdinal: number, reserved: number): RecordInFlight[] {
    const lacking: RecordInFlight[] = [];
    for (let index = this.#started; index < this.#count; index++) {
      if (this.#at(index).ordinal > lastOrdinal) lacking.push(this.#at(index));
    }
    for (const [index, record] of lacking.entries()) record.ordinal = lastOrdinal + reserved + 1 + index;
    this.#lastOrdinal = lastOrdinal + reserved + lacking.length;
    this.#acknowledgedOrdinal = this.#started < this.#count ? this.#at(this.#started).ordinal - 1 : this.#lastOrdinal;
    return lacking;
  }

  push(record: RecordInFlight): void {
    assert(record.ordinal === this.#lastOrdinal + 1, "ordinals have no gaps");
    this.#lastOrdinal = record.ordinal;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count) & (this.#ring.length - 1)] = record;
    this.#count++;
    if (hasPayload(record.type)) this.#payloadBytes += record.blockCount * blockBytes;
  }

  #grow(): void {
    const ring: (RecordInFlight | undefined)[] = new Array(this.#ring.length * 2).fill(undefined);
    for (let index = 0; index < this.#count; index++) ring[index] = this.#at(index);
    this.#ring = ring;
    this.#head = 0;
  }

  acknowledge(ordinal: number): void {
    assert(ordinal <= this.#lastOrdinal, "only what was added is acknowledged");
    this.#acknowledgedOrdinal = Math.max(this.#acknowledgedOrdinal, ordinal);
  }

  /** The next record that is acknowledged and was not taken yet. */
  takeAcknowledged(): RecordInFlight | undefined {
    if (this.#started === this.#count) return undefined;
    const record = this.#at(this.#started);
    if (record.ordinal > this.#acknowledgedOrdinal) return undefined;
    this.#started++;
    return record;
  }

  /** The record is in the source. `retire` is called for each that need not be remembered any more. */
  written(record: RecordInFlight, retire: (record: RecordInFlight) => void): void {
    record.isWritten = true;
    while (this.#count > 0) {
      const first = this.#at(0);
      if (!first.isWritten) break;
      this.#ring[this.#head] = undefined;
      this.#head = (this.#head + 1) & (this.#ring.length - 1);
      this.#count--;
      this.#started--;
      if (hasPayload(first.type)) this.#payloadBytes -= first.blockCount * blockBytes;
      retire(first);
    }
    if (this.#freeWaiters.length > 0) this.#tellFreeWaiters();
  }

  /** The newest record over the block that is not in the source yet. */
  newestOver(block: number): RecordInFlight | undefined {
    for (let index = this.#count - 1; index >= 0; index--) {
      const record = this.#at(index);
      if (record.startBlock <= block && block < record.startBlock + record.blockCount) {
        // Older ones over the same block went before it.
        return record.isWritten ? undefined : record;
      }
    }
    return undefined;
  }

  isFree(startBlock: number, blockCount: number): boolean {
    for (let index = 0; index < this.#count; index++) {
      const record = this.#at(index);
      const isApart =
        record.startBlock >= startBlock + blockCount || startBlock >= record.startBlock + record.blockCount;
      if (!record.isWritten && !isApart) return false;
    }
    return true;
  }

  /** Calls back, at once or later, when nothing in flight touches the blocks. */
  whenFree(startBlock: number, blockCount: number, callback: () => void): void {
    if (this.isFree(startBlock, blockCount)) callback();
    else this.#freeWaiters.push({ startBlock, blockCount, callback });
  }

  #tellFreeWaiters(): void {
    const waiters = this.#freeWaiters;
    this.#freeWaiters = waiters.filter((one) => !this.isFree(one.startBlock, one.blockCount));
    for (const waiter of waiters) if (!this.#freeWaiters.includes(waiter)) waiter.callback();
  }

  forEach(visit: (record: RecordInFlight) => void): void {
    for (let index = 0; index < this.#count; index++) visit(this.#at(index));
  }
}
