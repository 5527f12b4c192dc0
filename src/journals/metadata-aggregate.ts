/**
 * An aggregate in the metadata journal (docs/formats.md): one batch or more behind each other, of their own kind, all for
 * the records `firstSeq` to `lastSeq`. The entries have the last seq; the `aggregate` entry at the end commits them.
 *
 * Invariants: count <= aggregateRecordsMax; nothing comes behind the `aggregate` entry.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp, divFloor } from "#src/core/byte-range.ts";
import {
  aggregateRecordsMax,
  batchAlignmentBytes,
  batchHeaderBytes,
  batchHeadsBytesMax,
  batchRecordCountMax,
  recordExtraBytesMax,
} from "#src/core/limits.ts";
import { type BatchHeader, batchMagic, putBatchHeader } from "#src/records/batch.ts";
import { isOfBlocks, recordType } from "#src/records/record.ts";
import type { MetadataBatchPlace } from "./metadata-batch.ts";
import {
  getMetadataRecord,
  type MetadataEntry,
  type MetadataRecord,
  metadataEntryBytes,
  putMetadataEntry,
} from "./metadata-entry.ts";

/** Entries of a batch that is not the last one. The last one has room for as many, and for what the end has to say. */
export const aggregateBatchEntries = Math.min(
  batchRecordCountMax,
  divFloor(batchHeadsBytesMax - recordExtraBytesMax, metadataEntryBytes),
);
const grownBytes = 64 * metadataEntryBytes;

/** Gathered in memory, as it will be written, until it is whole. */
export class MetadataAggregate {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  #entries = Buffer.alloc(0);
  #count = 0;
  #extra: Buffer | undefined;

  constructor(epoch: number, firstSeq: number, lastSeq: number) {
    this.epoch = epoch;
    this.firstSeq = firstSeq;
    this.lastSeq = lastSeq;
  }

  get count(): number {
    return this.#count;
  }

  /** Nothing of it may be written before. */
  get isWhole(): boolean {
    return this.#extra !== undefined;
  }

  /** The record's extra part lies at `extraAt` in `bytes`. */
  add(entry: MetadataEntry, bytes: Buffer, extraAt: number): void {
    assert(entry.epoch === this.epoch && entry.seq === this.lastSeq, "an aggregate is of one place in the order");
    assert(!this.isWhole && this.#count < aggregateRecordsMax, "an aggregate has an end, and is bounded");
    const at = this.#count * metadataEntryBytes;
    if (at === this.#entries.length) this.#grow();
    putMetadataEntry(this.#entries, at, entry);
    this.#count++;
    if (entry.type === recordType.aggregate)
      this.#extra = Buffer.from(bytes.subarray(extraAt, extraAt + entry.extraBytes));
  }

  #grow(): void {
    const grown = Buffer.alloc(Math.max(grownBytes, 2 * this.#entries.length));
    this.#entries.copy(grown);
    this.#entries = grown;
  }

  get batchCount(): number {
    return Math.ceil(this.#count / aggregateBatchEntries);
  }

  /** What one of its batches takes in a log, zeros included. */
  batchSpanBytes(index: number): number {
    return alignUp(batchHeaderBytes + this.#headsBytes(index), batchAlignmentBytes);
  }

  /** What all of them take. */
  get spanBytes(): number {
    let sum = 0;
    for (let index = 0; index < this.batchCount; index++) sum += this.batchSpanBytes(index);
    return sum;
  }

  #entryCount(index: number): number {
    return Math.min(aggregateBatchEntries, this.#count - index * aggregateBatchEntries);
  }

  #headsBytes(index: number): number {
    const isLast = index === this.batchCount - 1;
    return this.#entryCount(index) * metadataEntryBytes + (isLast ? (this.#extra?.length ?? 0) : 0);
  }

  /** Puts one of its batches into `target`. */
  putBatch(index: number, place: MetadataBatchPlace, target: Buffer, start: number): void {
    assert(this.#extra !== undefined && index < this.batchCount, "only what is whole is written");
    const recordCount = this.#entryCount(index);
    const from = index * aggregateBatchEntries * metadataEntryBytes;
    const extraAt = start + batchHeaderBytes + recordCount * metadataEntryBytes;
    this.#entries.copy(target, start + batchHeaderBytes, from, from + recordCount * metadataEntryBytes);
    if (index === this.batchCount - 1) this.#extra.copy(target, extraAt);
    const headsBytes = this.#headsBytes(index);
    target.fill(0, start + batchHeaderBytes + headsBytes, start + this.batchSpanBytes(index));
    putBatchHeader(target, start, {
      magic: batchMagic.metadataAggregate,
      recordCount,
      payloadBytes: 0,
      headsBytes,
      epoch: this.epoch,
      firstSeq: this.firstSeq,
      ...place,
    });
  }
}

/** The records of one of an aggregate's batches, whose heads were found sound; undefined if what they say does not add up. */
export function aggregateRecords(bytes: Buffer, start: number, header: BatchHeader): MetadataRecord[] | undefined {
  const entriesAt = start + batchHeaderBytes;
  const extraAt = entriesAt + header.recordCount * metadataEntryBytes;
  const extraBytes = entriesAt + header.headsBytes - extraAt;
  if (header.payloadBytes !== 0 || extraBytes < 0) return undefined;
  const records: MetadataRecord[] = [];
  for (let index = 0; index < header.recordCount; index++) {
    const entry = getMetadataRecord(bytes, entriesAt + index * metadataEntryBytes, extraAt);
    const isLast = index === header.recordCount - 1;
    if (entry === undefined || entry.epoch !== header.epoch || entry.seq < header.firstSeq) return undefined;
    if (entry.extraBytes !== (isLast ? extraBytes : 0)) return undefined;
    if (!isAggregated(entry, isLast) || !isOfOnePlace(records[0] ?? entry, entry)) return undefined;
    records.push(entry);
  }
  return records;
}

function isAggregated({ type, extraBytes }: MetadataEntry, isLast: boolean): boolean {
  if (type === recordType.aggregate) return isLast;
  return isOfBlocks(type) && extraBytes === 0;
}

export function isOfOnePlace(a: MetadataEntry, b: MetadataEntry): boolean {
  return a.seq === b.seq && a.epoch === b.epoch && a.timeMicros === b.timeMicros;
}

assert(aggregateBatchEntries > 0, "a batch takes an entry and the longest end");
