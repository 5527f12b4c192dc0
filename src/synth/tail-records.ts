/** Records of an open journal, in flat memory: which blocks they decide on, which of them are points, and what they tell. */
import { batchRecordCountMax, blockBytes } from "#src/core/limits.ts";
import { tailChunkRecords } from "#src/core/point-limits.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { endOfBlocks, extentOf } from "#src/journals/block-extent.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { getMetadataRecord, type MetadataRecord } from "#src/journals/metadata-entry.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import type { PlainBatch } from "#src/journals/plain-batch.ts";
import { holeAddress } from "#src/records/address.ts";
import { isOfBlocks } from "#src/records/record.ts";
import { type ExtentRows, firstBehind } from "./extent-rows.ts";
import { EventFilter } from "./piece-events.ts";
import type { Point } from "./point-answer.ts";
import { touchedRows } from "./touched-rows.ts";

/** For a chunk, and what a batch may bring beyond it: what is not written to takes no memory. */
const numbersRoom = tailChunkRecords + batchRecordCountMax;

/** Numbers one behind the other, as many as come. */
class Numbers {
  #values = new Float64Array(numbersRoom);
  count = 0;

  get values(): Float64Array {
    return this.#values;
  }

  add(value: number): void {
    this.#makeRoom(1);
    this.#values[this.count++] = value;
  }

  /** The first of these. */
  addAll(values: Float64Array, count: number): void {
    this.#makeRoom(count);
    const [own, at] = [this.#values, this.count];
    for (let index = 0; index < count; index++) own[at + index] = values[index] as number;
    this.count += count;
  }

  /** So many that follow each other. */
  addRow(first: number, count: number): void {
    this.#makeRoom(count);
    const [own, at] = [this.#values, this.count];
    for (let index = 0; index < count; index++) own[at + index] = first + index;
    this.count += count;
  }

  #makeRoom(count: number): void {
    if (this.count + count <= this.#values.length) return;
    const more = new Float64Array(2 * this.#values.length + count);
    more.set(this.#values);
    this.#values = more;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }
}

/** What is kept of records whatever becomes of the others: few of them. */
export interface TailSummary {
  readonly events: readonly JournalRecord[];
  readonly hasAggregates: boolean;
  readonly firstPoint: Point | undefined;
  readonly lastPoint: Point | undefined;
}

export class TailRecords implements TailSummary {
  /** Those that tell something of volumes and points. */
  readonly events: JournalRecord[] = [];
  readonly #filter = new EventFilter();
  /** Of records that decide on blocks. */
  readonly #volumes = new Numbers();
  readonly #startBlocks = new Numbers();
  readonly #blockCounts = new Numbers();
  readonly #addresses = new Numbers();
  readonly #seqs = new Numbers();
  /** Of all that are points. */
  readonly #pointSeqs = new Numbers();
  readonly #pointMicros = new Numbers();
  readonly #volumeNumbers = new Set<number>();
  #recordCount = 0;
  #hasAggregates = false;

  /** Whether some stand for others. */
  get hasAggregates(): boolean {
    return this.#hasAggregates;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Of the records that decide on blocks. */
  get volumeNumbers(): ReadonlySet<number> {
    return this.#volumeNumbers;
  }

  /** Behind all that were added. Throws a `StopError` for a resize that says no size. */
  add(unit: FoundUnit): void {
    const { plain, records, bytes, isAggregate } = unit;
    if (plain !== undefined) return this.#addPlain(plain, bytes);
    for (const record of records) {
      this.#addRecord(record, bytes, isAggregate);
      if (!isAggregate) this.#addPoint(record.seq, record.timeMicros);
    }
    const last = records.at(-1);
    if (isAggregate) this.#hasAggregates = true;
    if (isAggregate && last !== undefined) this.#addPoint(last.seq, last.timeMicros);
    this.#recordCount += records.length;
  }

  #addRecord(record: MetadataRecord, bytes: Buffer, isAggregate: boolean): void {
    if (this.#filter.isTelling(record)) {
      const extent = extentOf(record, this.#addEvent(record, bytes, isAggregate));
      if (extent !== undefined) this.#addExtent(extent);
    } else if (isOfBlocks(record.type) && record.blockCount > 0) this.#addExtent(record);
  }

  /** There are millions of them: nothing is made of each. */
  #addPlain(plain: PlainBatch, bytes: Buffer): void {
    const { count, firstSeq, volumes } = plain;
    if (plain.isOfOneVolume && this.#filter.hasSeen(volumes[0] as number)) this.#addBlocksOf(plain);
    else for (let index = 0; index < count; index++) this.#addOneOf(plain, index, bytes);
    this.#pointSeqs.addRow(firstSeq, count);
    this.#pointMicros.addAll(plain.timesMicros, count);
    this.#recordCount += count;
  }

  #addBlocksOf({ count, firstSeq, volumes, startBlocks, blockCounts, addresses }: PlainBatch): void {
    this.#volumeNumbers.add(volumes[0] as number);
    this.#volumes.addAll(volumes, count);
    this.#startBlocks.addAll(startBlocks, count);
    this.#blockCounts.addAll(blockCounts, count);
    this.#addresses.addAll(addresses, count);
    this.#seqs.addRow(firstSeq, count);
  }

  #addOneOf(plain: PlainBatch, index: number, bytes: Buffer): void {
    const volume = plain.volumes[index] as number;
    const blockCount = plain.blockCounts[index] as number;
    // The first one of a volume tells something of it.
    if (!this.#filter.hasSeen(volume)) {
      this.#addRecord(getMetadataRecord(bytes, plain.placeOf(index), 0) as MetadataRecord, bytes, false);
    } else if (blockCount > 0) {
      const [startBlock, address] = [plain.startBlocks[index] as number, plain.addresses[index] as number];
      this.#addExtent({ volume, startBlock, blockCount, address, seq: plain.firstSeq + index });
    }
  }

  /** Answers its extra part. */
  #addEvent({ extraAt, ...entry }: MetadataRecord, bytes: Buffer, isAggregated: boolean): Buffer {
    const extra = Buffer.from(bytes.subarray(extraAt, extraAt + entry.extraBytes));
    this.events.push({ ...entry, extra, isAggregated });
    return extra;
  }

  #addExtent({ volume, startBlock, blockCount, address, seq }: Omit<BlockExtent, "level">): void {
    if (!this.#volumeNumbers.has(volume)) this.#volumeNumbers.add(volume);
    this.#volumes.add(volume);
    this.#startBlocks.add(startBlock);
    this.#blockCounts.add(blockCount);
    this.#addresses.add(address);
    this.#seqs.add(seq);
  }

  #addPoint(seq: number, timeMicros: number): void {
    this.#pointSeqs.add(seq);
    this.#pointMicros.add(timeMicros);
  }

  get firstPoint(): Point | undefined {
    return this.#point(0);
  }

  get lastPoint(): Point | undefined {
    return this.#point(this.#pointSeqs.count - 1);
  }

  /** The last point at or before the seq; undefined: it is before all of them. */
  pointUpTo(seq: number): Point | undefined {
    return this.#point(firstBehind(this.#pointSeqs.values, this.#pointSeqs.count, seq) - 1);
  }

  /** The first behind it. */
  pointBehind(seq: number): Point | undefined {
    return this.#point(firstBehind(this.#pointSeqs.values, this.#pointSeqs.count, seq));
  }

  /** The last that was made then or before. */
  pointAt(timeMicros: number): Point | undefined {
    return this.#point(firstBehind(this.#pointMicros.values, this.#pointMicros.count, timeMicros) - 1);
  }

  #point(index: number): Point | undefined {
    if (index < 0 || index >= this.#pointSeqs.count) return undefined;
    return { seq: this.#pointSeqs.at(index), timeMicros: this.#pointMicros.at(index) };
  }

  /** Writes, trims and zeroings of the volume from that time on, in their order. */
  eachWrite(volume: number, fromMicros: number, saw: (seq: number, timeMicros: number, bytes: number) => void): void {
    let point = firstBehind(this.#pointMicros.values, this.#pointMicros.count, fromMicros - 1);
    if (point >= this.#pointSeqs.count) return;
    const firstSeq = (point === 0 ? 0 : this.#pointSeqs.at(point - 1)) + 1;
    let index = firstBehind(this.#seqs.values, this.#seqs.count, firstSeq - 1);
    for (; index < this.#seqs.count; index++) {
      const seq = this.#seqs.at(index);
      while (point < this.#pointSeqs.count - 1 && this.#pointSeqs.at(point) < seq) point++;
      // A resize decides on all blocks behind an end, and is no write.
      const isResize = this.#startBlocks.at(index) + this.#blockCounts.at(index) === endOfBlocks;
      if (this.#volumes.at(index) !== volume || isResize) continue;
      const hasPayload = this.#addresses.at(index) !== holeAddress;
      saw(seq, this.#pointMicros.at(point), hasPayload ? this.#blockCounts.at(index) * blockBytes : 0);
    }
  }

  /** What all of them say of the volume. */
  rowsOf(volume: number): ExtentRows {
    return this.rowsUpTo(volume, Number.MAX_SAFE_INTEGER);
  }

  /** What those up to this seq say. */
  rowsUpTo(volume: number, seq: number): ExtentRows {
    const count = firstBehind(this.#seqs.values, this.#seqs.count, seq);
    const places = new Uint32Array(count);
    let placeCount = 0;
    const volumes = this.#volumes.values;
    for (let place = 0; place < count; place++) if (volumes[place] === volume) places[placeCount++] = place;
    const touches = {
      startBlocks: this.#startBlocks.values,
      blockCounts: this.#blockCounts.values,
      addresses: this.#addresses.values,
      seqs: this.#seqs.values,
    };
    return touchedRows(touches, places.subarray(0, placeCount), volume);
  }
}
