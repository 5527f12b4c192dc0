/**
 * A batch in the making. Payloads are copied to where they will leave from, and their checksums computed, as they come;
 * order and header are put in at the end, by whoever gives records their order.
 *
 * Invariants: payloadBytes <= batchPayloadBytesMax; headsBytes <= batchHeadsBytesMax; recordCount <= batchRecordCountMax.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp } from "#src/core/byte-range.ts";
import {
  batchAlignmentBytes,
  batchBytesMax,
  batchHeaderBytes,
  batchHeadsBytesMax,
  batchPayloadBytesMax,
  batchRecordCountMax,
  blockBytes,
  recordHeadBytes,
} from "#src/core/limits.ts";
import { putLe64 } from "#src/core/little-endian.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { batchMagic, putBatchHeader } from "./batch.ts";
import { putRecordHead, type RecordHead, recordTimeAt, recordType } from "./record.ts";

export interface NewRecord {
  readonly type: number;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly ordinal: number;
}

/** What the one who orders records knows and the one who makes them does not. */
export interface BatchOrder {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly timeMicros: number;
  readonly incarnation: number;
  readonly position: number;
  readonly durableSeq: number;
}

const noExtra = Buffer.alloc(0);

export class BatchBuilder {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  readonly #heads = Buffer.alloc(batchHeadsBytesMax);
  #headsBytes = 0;
  #payloadBytes = 0;
  #recordCount = 0;

  readonly #headAts = new Uint32Array(batchRecordCountMax);

  /** Begins an empty batch. `buffer` has `batchBytesMax` bytes from `start` on. */
  begin(buffer: Buffer, start: number): void {
    assert(start + batchBytesMax <= buffer.length, "a largest batch has room");
    this.#buffer = buffer;
    this.#start = start;
    this.#headsBytes = 0;
    this.#payloadBytes = 0;
    this.#recordCount = 0;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** The bytes it takes when it is finished, without the zeros behind. */
  get byteLength(): number {
    return batchHeaderBytes + this.#payloadBytes + this.#headsBytes;
  }

  hasRoomFor(payloadBlocks: number, extraBytes = 0): boolean {
    return (
      this.#recordCount < batchRecordCountMax &&
      this.#payloadBytes + payloadBlocks * blockBytes <= batchPayloadBytesMax &&
      this.#headsBytes + recordHeadBytes + payloadBlocks * checksumBytes + extraBytes <= batchHeadsBytesMax
    );
  }

  /** Adds a write of whole blocks, which lie at `from` in `bytes`; answers where they lie now in the batch's buffer. */
  addWrite(record: NewRecord, bytes: Buffer, from: number): number {
    const payloadAt = this.payloadAt;
    const payloadBytes = record.blockCount * blockBytes;
    this.#beginWrite(record, bytes, from);
    for (let blockAt = payloadAt; blockAt < payloadAt + payloadBytes; blockAt += blockBytes) {
      putChecksum(this.#buffer, blockAt, blockAt + blockBytes, this.#heads, this.#headsBytes);
      this.#headsBytes += checksumBytes;
    }
    this.#payloadBytes += payloadBytes;
    return payloadAt;
  }

  /** The same where the blocks' checksums are known: they lie behind each other at `checksumsAt` in `checksums`. */
  addSummedWrite(record: NewRecord, bytes: Buffer, from: number, checksums: Buffer, checksumsAt: number): void {
    this.#beginWrite(record, bytes, from);
    const sumsBytes = record.blockCount * checksumBytes;
    checksums.copy(this.#heads, this.#headsBytes, checksumsAt, checksumsAt + sumsBytes);
    this.#headsBytes += sumsBytes;
    this.#payloadBytes += record.blockCount * blockBytes;
  }

  /** Where the next write's payload comes to lie in the batch's buffer. */
  get payloadAt(): number {
    return this.#start + batchHeaderBytes + this.#payloadBytes;
  }

  #beginWrite(record: NewRecord, bytes: Buffer, from: number): void {
    assert(record.type === recordType.write && this.hasRoomFor(record.blockCount), "there is room for the write");
    const isInPlace = bytes === this.#buffer && from === this.payloadAt;
    if (!isInPlace) bytes.copy(this.#buffer, this.payloadAt, from, from + record.blockCount * blockBytes);
    this.#putHead(record, 0);
  }

  /** Adds a record without payload. */
  add(record: NewRecord, extra: Buffer = noExtra): void {
    assert(record.type !== recordType.write && this.hasRoomFor(0, extra.length), "there is room for the record");
    this.#putHead(record, extra.length);
    extra.copy(this.#heads, this.#headsBytes);
    this.#headsBytes += extra.length;
  }

  #putHead(record: NewRecord, extraBytes: number): void {
    const head: RecordHead = { ...record, timeMicros: 0, extraBytes };
    putRecordHead(this.#heads, this.#headsBytes, head);
    this.#headAts[this.#recordCount] = this.#headsBytes;
    this.#headsBytes += recordHeadBytes;
    this.#recordCount++;
  }

  /** Puts the batch together; answers how many bytes it takes in a log, zeros included. */
  finish(order: BatchOrder, magic: number = batchMagic.records): number {
    const buffer = this.#buffer;
    const start = this.#start;
    for (let index = 0; index < this.#recordCount; index++) {
      putLe64(this.#heads, (this.#headAts[index] as number) + recordTimeAt, order.timeMicros);
    }
    const headsAt = start + batchHeaderBytes + this.#payloadBytes;
    this.#heads.copy(buffer, headsAt, 0, this.#headsBytes);
    putBatchHeader(buffer, start, {
      magic,
      recordCount: this.#recordCount,
      payloadBytes: this.#payloadBytes,
      headsBytes: this.#headsBytes,
      ...order,
    });
    const end = headsAt + this.#headsBytes;
    const spanBytes = alignUp(this.byteLength, batchAlignmentBytes);
    buffer.fill(0, end, start + spanBytes);
    return spanBytes;
  }
}
