/**
 * Hands what came from an interceptor to the appliance, in its order, as far as there is room. What has to wait is kept
 * as a copy; the credit bounds it.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { BatchRecord } from "#src/records/batch.ts";
import { hasPayload, recordType } from "#src/records/record.ts";
import type { VolumeLink } from "./volume-link.ts";
import { type Flushed, readVolumeBatch } from "./volume-messages.ts";

interface WaitingBatch {
  readonly kind: "batch";
  readonly bytes: Buffer;
  readonly records: readonly BatchRecord[];
  /** The first one that had no room yet. */
  next: number;
}

interface WaitingFlush {
  readonly kind: "flush";
  readonly id: number;
}

const rangeTypes = new Set<number>([
  recordType.trim,
  recordType.zero,
  recordType.resyncBegin,
  recordType.resyncEnd,
  recordType.initialComplete,
]);

export class VolumeIntake {
  readonly #link: VolumeLink;
  readonly #sizeBlocks: number;
  readonly #flushed: (flushed: Flushed) => void;
  readonly #waiting: (WaitingBatch | WaitingFlush)[] = [];
  #takenBytes = 0;
  /** Of the last record that came. */
  #ordinal: number;
  /** The appliance may call back from within whatever it is asked. */
  #isBusy = false;
  #hasRoomAgain = false;
  #hasUncommitted = false;

  constructor(link: VolumeLink, sizeBytes: number, flushed: (flushed: Flushed) => void) {
    this.#link = link;
    this.#sizeBlocks = Math.ceil(sizeBytes / blockBytes);
    this.#flushed = flushed;
    this.#ordinal = link.lastOrdinal;
  }

  /** Bytes of batches that the appliance has taken up whole. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** The batch that fills the range, which is free again afterwards. What is wrong with it is thrown. */
  batch(bytes: Buffer, start: number, end: number): void {
    const records = readVolumeBatch(bytes, start, end);
    for (const record of records) this.#check(record);
    let next = 0;
    if (this.#waiting.length === 0) {
      this.#work(() => {
        next = this.#add(bytes, records, 0);
      });
    }
    if (next === records.length) {
      this.#takenBytes += end - start;
      return;
    }
    const copy = Buffer.from(bytes.subarray(start, end));
    this.#waiting.push({ kind: "batch", bytes: copy, records: readVolumeBatch(copy, 0, copy.length), next });
    this.#goOnIfAsked();
  }

  #check(record: BatchRecord): void {
    const expected = ++this.#ordinal;
    if (record.ordinal !== expected) {
      throw new RefuseError(`record ${record.ordinal} of the volume came where ${expected} should have come`);
    }
    const isKnown = hasPayload(record.type) || rangeTypes.has(record.type);
    if (!isKnown) throw new RefuseError(`an interceptor makes no records of type ${record.type}`);
    if (record.startBlock + record.blockCount > this.#sizeBlocks) {
      throw new RefuseError("a record reaches beyond the end of the volume");
    }
  }

  flush(id: number): void {
    if (this.#waiting.length > 0) this.#waiting.push({ kind: "flush", id });
    else this.#flush(id);
  }

  #flush(id: number): void {
    this.#link.flush((error, neededRemote = false) => this.#flushed({ id, error, neededRemote }));
  }

  /** Answers the first record that had no room. */
  #add(bytes: Buffer, records: readonly BatchRecord[], from: number): number {
    const link = this.#link;
    for (let index = from; index < records.length; index++) {
      const record = records[index] as BatchRecord;
      const payloadBlocks = hasPayload(record.type) ? record.blockCount : 0;
      if (!this.#hasRoomFor(payloadBlocks)) return index;
      if (payloadBlocks > 0) link.addWrite(record.startBlock, record.blockCount, bytes, record.payloadAt);
      else link.addRange(record.type, record.startBlock, record.blockCount);
      this.#hasUncommitted = true;
      assert(link.lastOrdinal === record.ordinal, "appliance and interceptor count alike");
    }
    return records.length;
  }

  #hasRoomFor(payloadBlocks: number): boolean {
    if (this.#link.pressure >= 1) return false;
    if (this.#link.hasRoomFor(payloadBlocks)) return true;
    this.#commit();
    return this.#link.hasRoomFor(payloadBlocks);
  }

  /** There may be room again. */
  goOn(): void {
    this.#hasRoomAgain = true;
    this.#goOnIfAsked();
  }

  #goOnIfAsked(): void {
    while (this.#hasRoomAgain && !this.#isBusy) {
      this.#hasRoomAgain = false;
      this.#work(() => {
        while (this.#takeUp(this.#waiting[0]));
        this.#commit();
      });
    }
  }

  /** Answers whether the next one may follow. */
  #takeUp(item: WaitingBatch | WaitingFlush | undefined): boolean {
    if (item === undefined) return false;
    if (item.kind === "batch") {
      item.next = this.#add(item.bytes, item.records, item.next);
      if (item.next < item.records.length) return false;
      this.#takenBytes += item.bytes.length;
    }
    this.#waiting.shift();
    if (item.kind === "flush") this.#flush(item.id);
    return true;
  }

  /** The link is over, maybe by what it was just asked: nothing of what waits is asked of it any more. */
  end(): void {
    this.#waiting.length = 0;
  }

  /** What was added gets its order. */
  commit(): void {
    this.#work(() => this.#commit());
    this.#goOnIfAsked();
  }

  /** Only what is new: it may call back that there is room, and so bring itself about again. */
  #commit(): void {
    if (!this.#hasUncommitted) return;
    this.#hasUncommitted = false;
    this.#link.commit();
  }

  #work(work: () => void): void {
    this.#isBusy = true;
    try {
      work();
    } finally {
      this.#isBusy = false;
    }
  }
}
