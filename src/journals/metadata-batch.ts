/**
 * A batch of the metadata journal in the making, and read again: the header of all batches over entries, which are
 * followed by their extra parts in the same order.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp } from "#src/core/byte-range.ts";
import {
  batchAlignmentBytes,
  batchHeaderBytes,
  batchHeadsBytesMax,
  batchRecordCountMax,
  recordExtraBytesMax,
} from "#src/core/limits.ts";
import { type BatchHeader, batchMagic, putBatchHeader } from "#src/records/batch.ts";
import { recordType } from "#src/records/record.ts";
import {
  getMetadataRecord,
  type MetadataEntry,
  type MetadataRecord,
  metadataEntryBytes,
  putMetadataEntry,
} from "./metadata-entry.ts";

/** The bytes of a largest one in a log. */
export const metadataBatchBytesMax = alignUp(batchHeaderBytes + batchHeadsBytesMax, batchAlignmentBytes);

/** What a batch has to know of the log it is written to. */
export interface MetadataBatchPlace {
  readonly incarnation: number;
  readonly position: number;
  readonly durableSeq: number;
}

export class MetadataBatchBuilder {
  readonly #buffer = Buffer.alloc(metadataBatchBytesMax);
  readonly #extras = Buffer.alloc(batchHeadsBytesMax);
  #recordCount = 0;
  #extrasBytes = 0;
  #epoch = 0;
  #firstSeq = 0;

  get recordCount(): number {
    return this.#recordCount;
  }

  /** The seq after the last one's. */
  get endSeq(): number {
    return this.#firstSeq + this.#recordCount;
  }

  /** Whether the record may be the next one of this batch. */
  takes(entry: MetadataEntry): boolean {
    if (this.#recordCount === 0) return true;
    const headsBytes = (this.#recordCount + 1) * metadataEntryBytes + this.#extrasBytes + entry.extraBytes;
    return (
      entry.epoch === this.#epoch &&
      entry.seq === this.#firstSeq + this.#recordCount &&
      this.#recordCount < batchRecordCountMax &&
      headsBytes <= batchHeadsBytesMax
    );
  }

  /** The record's extra part lies at `extraAt` in `bytes`. */
  add(entry: MetadataEntry, bytes: Buffer, extraAt: number): void {
    assert(this.takes(entry), "a record is added where it belongs");
    if (this.#recordCount === 0) {
      this.#epoch = entry.epoch;
      this.#firstSeq = entry.seq;
    }
    putMetadataEntry(this.#buffer, batchHeaderBytes + this.#recordCount * metadataEntryBytes, entry);
    bytes.copy(this.#extras, this.#extrasBytes, extraAt, extraAt + entry.extraBytes);
    this.#extrasBytes += entry.extraBytes;
    this.#recordCount++;
  }

  /** The bytes it takes in a log, zeros included. */
  get spanBytes(): number {
    const heads = this.#recordCount * metadataEntryBytes + this.#extrasBytes;
    return alignUp(batchHeaderBytes + heads, batchAlignmentBytes);
  }

  /** Puts the batch into `target`, and is empty again. */
  finish(place: MetadataBatchPlace, target: Buffer, start: number): void {
    assert(this.#recordCount > 0, "a batch has records");
    const extrasAt = batchHeaderBytes + this.#recordCount * metadataEntryBytes;
    this.#extras.copy(this.#buffer, extrasAt, 0, this.#extrasBytes);
    const end = extrasAt + this.#extrasBytes;
    this.#buffer.fill(0, end, this.spanBytes);
    putBatchHeader(this.#buffer, 0, {
      magic: batchMagic.metadata,
      recordCount: this.#recordCount,
      payloadBytes: 0,
      headsBytes: end - batchHeaderBytes,
      epoch: this.#epoch,
      firstSeq: this.#firstSeq,
      ...place,
    });
    this.#buffer.copy(target, start, 0, this.spanBytes);
    this.#recordCount = 0;
    this.#extrasBytes = 0;
  }
}

/** The records of a batch whose heads were found sound; undefined if what they say does not add up. */
export function metadataRecords(bytes: Buffer, start: number, header: BatchHeader): MetadataRecord[] | undefined {
  const entriesAt = start + batchHeaderBytes;
  const end = entriesAt + header.headsBytes;
  let extraAt = entriesAt + header.recordCount * metadataEntryBytes;
  if (header.payloadBytes !== 0 || extraAt > end) return undefined;
  const records: MetadataRecord[] = [];
  for (let index = 0; index < header.recordCount; index++) {
    const entry = getMetadataRecord(bytes, entriesAt + index * metadataEntryBytes, extraAt);
    if (entry === undefined || entry.seq !== header.firstSeq + index || entry.epoch !== header.epoch) return undefined;
    if (entry.type === recordType.aggregate || extraAt + entry.extraBytes > end) return undefined;
    records.push(entry);
    extraAt += entry.extraBytes;
  }
  return extraAt === end ? records : undefined;
}

assert(metadataEntryBytes + recordExtraBytesMax <= batchHeadsBytesMax, "a largest record fits into a batch");
