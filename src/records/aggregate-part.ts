/**
 * A part of an aggregate on the wire: a batch that stands for no row of records but, with the other parts, for the state
 * that the records `firstSeq` to `lastSeq` make together. What later ones of them overwrote is left out.
 *
 *     part 0      trims and zeros, then writes
 *     part 1 …    writes, behind those of the part before
 *     last part   the same, and behind them the `aggregate` record, which commits all of it
 *
 * Invariants: trims and zeros come first, in their order; the writes behind them lie by volume and block, none over
 * another; all have the time of the last record, and no ordinal. Without the `aggregate` record nothing of it counts.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes, recordExtraBytesMax } from "#src/core/limits.ts";
import { type BatchHeader, type BatchRecord, batchMagic, getBatchHeader, recordsFrom } from "./batch.ts";
import { BatchBuilder } from "./batch-builder.ts";
import { decodeExtra, encodeExtra, isOfBlocks, recordType, wholeGroup } from "./record.ts";

/** Which part of which aggregate a batch is. */
export interface AggregatePlace {
  readonly epoch: number;
  /** Of the records that the aggregate stands for. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** From 0 on. */
  readonly partNumber: number;
}

/** What a finished part has to say besides its records. */
export interface AggregatePartOrder extends AggregatePlace {
  /** Of the record `lastSeq`. */
  readonly timeMicros: number;
}

/** What went into an aggregate. */
export interface FoldedFigures {
  readonly records: number;
  /** Of their payload. */
  readonly bytes: number;
}

/** Blocks of a volume. */
export interface BlockRange {
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
}

export interface AggregatePartHeader extends AggregatePlace {
  readonly batch: BatchHeader;
}

/** Undefined: no whole and sound header of a part lies there. */
export function getAggregatePartHeader(bytes: Buffer, start: number): AggregatePartHeader | undefined {
  const batch = getBatchHeader(bytes, start, batchMagic.aggregatePart);
  if (batch === undefined || batch.incarnation !== 0) return undefined;
  const { epoch, firstSeq, position: partNumber, durableSeq: lastSeq } = batch;
  const isRange = firstSeq >= 1 && firstSeq <= lastSeq && lastSeq < Number.MAX_SAFE_INTEGER;
  return isRange ? { batch, epoch, firstSeq, lastSeq, partNumber } : undefined;
}

/**
 * The records of a part whose heads were found sound, each with the aggregate's last seq; undefined if what they say does
 * not add up. The payload is not looked at.
 */
export function aggregatePartRecords(
  bytes: Buffer,
  start: number,
  header: AggregatePartHeader,
): BatchRecord[] | undefined {
  const records = recordsFrom(bytes, start, header.batch, header.lastSeq, 0);
  if (records === undefined) return undefined;
  let previous: BatchRecord | undefined;
  for (const record of records) {
    if (!isWellMade(bytes, record) || (previous !== undefined && !mayFollow(previous, record))) return undefined;
    previous = record;
  }
  return records;
}

function isWellMade(bytes: Buffer, record: BatchRecord): boolean {
  const { type, volume, startBlock, blockCount, ordinal } = record;
  if (ordinal !== 0) return false;
  if (type === recordType.aggregate) {
    const isPlain = volume === wholeGroup && startBlock === 0 && blockCount === 0;
    return isPlain && foldedFigures(bytes, record) !== undefined;
  }
  return isOfBlocks(type) && volume !== wholeGroup && blockCount > 0 && record.extraBytes === 0;
}

/** What two records of an aggregate have to have for one to come right behind the other. */
export type AggregateNeighbour = Pick<BatchRecord, "type" | "volume" | "startBlock" | "blockCount" | "timeMicros">;

/** Whether an aggregate can go on from one of its records with the other one. */
export function mayFollow(previous: AggregateNeighbour, next: AggregateNeighbour): boolean {
  if (next.timeMicros !== previous.timeMicros || previous.type === recordType.aggregate) return false;
  if (previous.type !== recordType.write || next.type === recordType.aggregate) return true;
  if (next.type !== recordType.write || next.volume < previous.volume) return false;
  return next.volume > previous.volume || next.startBlock >= previous.startBlock + previous.blockCount;
}

/** What an `aggregate` record says. Undefined: nothing of this kind. */
export function foldedFigures(
  bytes: Buffer,
  record: { readonly extraAt: number; readonly extraBytes: number },
): FoldedFigures | undefined {
  const said = decodeExtra(bytes.subarray(record.extraAt, record.extraAt + record.extraBytes)) ?? {};
  return isCount(said.records) && isCount(said.bytes) ? { records: said.records, bytes: said.bytes } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A part in the making. Its writes' checksums are those that the records had which they come from. */
export class AggregatePartBuilder {
  readonly #batch = new BatchBuilder();
  #previous: AggregateNeighbour | undefined;

  /** Begins an empty part. `buffer` has `batchBytesMax` bytes from `start` on. */
  begin(buffer: Buffer, start: number): void {
    this.#batch.begin(buffer, start);
    this.#previous = undefined;
  }

  get recordCount(): number {
    return this.#batch.recordCount;
  }

  /** For a write of so many blocks; with 0, for any other record. */
  hasRoomFor(payloadBlocks: number): boolean {
    return this.#batch.hasRoomFor(payloadBlocks, payloadBlocks === 0 ? recordExtraBytesMax : 0);
  }

  /** Where the next write's payload comes to lie in the buffer: read to there, it is not copied. */
  get payloadAt(): number {
    return this.#batch.payloadAt;
  }

  addRange(type: typeof recordType.trim | typeof recordType.zero, range: BlockRange): void {
    this.#follows(type, range);
    this.#batch.add({ ...range, type, ordinal: 0 });
  }

  /** The payload lies at `from` in `bytes`, the checksums of its blocks behind each other at `checksumsAt`. */
  addWrite(range: BlockRange, bytes: Buffer, from: number, checksums: Buffer, checksumsAt: number): void {
    assert(from + range.blockCount * blockBytes <= bytes.length, "the payload lies within its buffer");
    this.#follows(recordType.write, range);
    this.#batch.addSummedWrite({ ...range, type: recordType.write, ordinal: 0 }, bytes, from, checksums, checksumsAt);
  }

  /** Makes this part the last one. */
  addCommit(folded: FoldedFigures): void {
    const none = { volume: wholeGroup, startBlock: 0, blockCount: 0 };
    this.#follows(recordType.aggregate, none);
    this.#batch.add({ ...none, type: recordType.aggregate, ordinal: 0 }, encodeExtra(folded));
  }

  #follows(type: number, range: BlockRange): void {
    const record: AggregateNeighbour = { ...range, type, timeMicros: 0 };
    const isRight = this.#previous === undefined || mayFollow(this.#previous, record);
    assert(isRight, "trims and zeros come first, then the writes by volume and block, then the end");
    this.#previous = record;
  }

  /** Puts the part together; answers how many bytes it takes, zeros behind it included. */
  finish({ epoch, firstSeq, lastSeq, partNumber, timeMicros }: AggregatePartOrder): number {
    assert(firstSeq >= 1 && firstSeq <= lastSeq, "an aggregate stands for one record or more");
    const order = { epoch, firstSeq, timeMicros, incarnation: 0, position: partNumber, durableSeq: lastSeq };
    return this.#batch.finish(order, batchMagic.aggregatePart);
  }
}
