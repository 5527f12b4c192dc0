/** Records of an open journal, in flat memory: which blocks they decide on, which of them are points, and what they tell. */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { endOfBlocks, extentOf } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { MetadataRecord } from "#src/journals/metadata-entry.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import { holeAddress } from "#src/records/address.ts";
import { ExtentRows, firstBehind } from "./extent-rows.ts";
import { EventFilter } from "./piece-events.ts";
import type { Point } from "./point-answer.ts";

/** All that decide on blocks by what they say besides are events. */
const noExtra = Buffer.alloc(0);

/** Numbers one behind the other, as many as come. */
class Numbers {
  #values = new Float64Array(1024);
  count = 0;

  get values(): Float64Array {
    return this.#values;
  }

  add(value: number): void {
    if (this.count === this.#values.length) {
      const more = new Float64Array(2 * this.count);
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[this.count++] = value;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }
}

export class TailRecords {
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
  /** By volume. */
  readonly #rows = new Map<number, ExtentRows>();
  #recordCount = 0;
  #hasAggregates = false;

  /** Whether some stand for others. */
  get hasAggregates(): boolean {
    return this.#hasAggregates;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Behind all that were added. Throws a `StopError` for a resize that says no size. */
  add({ records, bytes, isAggregate }: FoundUnit): void {
    assert(this.#rows.size === 0, "what is asked for is whole");
    for (const record of records) {
      // There are millions of them: of most nothing else is made.
      const extra = this.#filter.isTelling(record) ? this.#addEvent(record, bytes, isAggregate) : noExtra;
      const extent = extentOf(record, extra);
      if (extent !== undefined) this.#addExtent(extent);
      if (!isAggregate) this.#addPoint(record.seq, record.timeMicros);
    }
    const last = records.at(-1);
    if (isAggregate) this.#hasAggregates = true;
    if (isAggregate && last !== undefined) this.#addPoint(last.seq, last.timeMicros);
    this.#recordCount += records.length;
  }

  /** Answers its extra part. */
  #addEvent({ extraAt, ...entry }: MetadataRecord, bytes: Buffer, isAggregated: boolean): Buffer {
    const extra = Buffer.from(bytes.subarray(extraAt, extraAt + entry.extraBytes));
    this.events.push({ ...entry, extra, isAggregated });
    return extra;
  }

  #addExtent({ volume, startBlock, blockCount, address, seq }: BlockExtent): void {
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

  /** What all of them say of the volume; nothing is added any more. */
  rowsOf(volume: number): ExtentRows {
    const known = this.#rows.get(volume);
    if (known !== undefined) return known;
    const rows = this.rowsUpTo(volume, Number.MAX_SAFE_INTEGER);
    this.#rows.set(volume, rows);
    return rows;
  }

  /** What those up to this seq say. */
  rowsUpTo(volume: number, seq: number): ExtentRows {
    const touches = new BlockTouches();
    const count = firstBehind(this.#seqs.values, this.#seqs.count, seq);
    for (let index = 0; index < count; index++) {
      if (this.#volumes.at(index) !== volume) continue;
      touches.add({
        volume,
        startBlock: this.#startBlocks.at(index),
        blockCount: this.#blockCounts.at(index),
        address: this.#addresses.at(index),
        seq: this.#seqs.at(index),
        level: 0,
      });
    }
    return ExtentRows.of(touches.extents(), volume);
  }
}
