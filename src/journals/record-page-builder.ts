/**
 * Makes the pages of a sealed piece's records (docs/formats.md, "The sealed piece"): each field is a column, and predicted
 * from the records before it in the page, so that what goes on as it went on before takes no bits.
 *
 * Invariants: 1 <= records <= sealedPageRecordsMax; their extra parts together <= sealedPageExtraBytesMax.
 */
import { assert } from "#src/core/assert.ts";
import { sealedPageExtraBytesMax, sealedPageRecordsMax } from "#src/core/store-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import { isSoundEntry, type MetadataEntry } from "./metadata-entry.ts";
import { PackedWriter } from "./packed-bytes.ts";
import { ColumnWriter } from "./packed-column.ts";
import { type OrderedEntry, type OrderPlace, placeBehind } from "./record-order.ts";
import { recordColumns, recordKindOf, recordPageBytesMax } from "./record-page-format.ts";

/** What the records of a volume so far say of the next one. */
interface VolumeState {
  readonly index: number;
  firstOrdinal: number | undefined;
  nextOrdinal: number;
  firstBlock: number | undefined;
  nextBlock: number;
}

type Columns = Record<(typeof recordColumns)[number], ColumnWriter>;

function newColumns(): Columns {
  return Object.fromEntries(recordColumns.map((name) => [name, new ColumnWriter(sealedPageRecordsMax)])) as Columns;
}

export class RecordPageBuilder {
  readonly #writer = new PackedWriter(recordPageBytesMax);
  readonly #columns = newColumns();
  readonly #extras = Buffer.alloc(sealedPageExtraBytesMax);
  readonly #volumes = new Map<number, VolumeState>();
  #extrasBytes = 0;
  #count = 0;
  /** Before the first record of the page, and behind the last. */
  #start: OrderPlace;
  #place: OrderPlace;
  #volumeIndex = 0;
  #level = 0;
  #blockCount = 0;
  #firstAddress = holeAddress;
  #nextAddress = holeAddress;

  constructor(start: OrderPlace) {
    this.#start = start;
    this.#place = start;
  }

  get count(): number {
    return this.#count;
  }

  /** Behind the last record. */
  get place(): OrderPlace {
    return this.#place;
  }

  takes(entry: MetadataEntry): boolean {
    return this.#count < sealedPageRecordsMax && this.#extrasBytes + entry.extraBytes <= sealedPageExtraBytesMax;
  }

  /** The record's extra part lies at `extraAt` in `bytes`. */
  add(entry: OrderedEntry, bytes: Buffer, extraAt: number): void {
    const place = placeBehind(this.#place, entry);
    assert(place !== undefined && isSoundEntry(entry) && this.takes(entry), "a record is added where it belongs");
    const columns = this.#columns;
    const volume = this.#volumeState(entry.volume);
    columns.kind.add(recordKindOf(entry), 0);
    columns.volume.add(volume.index, this.#volumeIndex);
    columns.seq.add(entry.seq, this.#place.seq + 1);
    columns.epoch.add(entry.epoch, this.#place.epoch);
    columns.time.add(entry.timeMicros, this.#place.timeMicros);
    columns.level.add(entry.level, this.#level);
    this.#addBlocks(entry, volume);
    if (entry.ordinal !== 0) {
      volume.firstOrdinal ??= entry.ordinal;
      columns.ordinal.add(entry.ordinal, volume.nextOrdinal === 0 ? entry.ordinal : volume.nextOrdinal);
      volume.nextOrdinal = entry.ordinal + 1;
    }
    if (entry.extraBytes !== 0) columns.extra.add(entry.extraBytes / 8, 0);
    bytes.copy(this.#extras, this.#extrasBytes, extraAt, extraAt + entry.extraBytes);
    this.#extrasBytes += entry.extraBytes;
    this.#volumeIndex = volume.index;
    this.#level = entry.level;
    this.#place = place;
    this.#count++;
  }

  #addBlocks(entry: MetadataEntry, volume: VolumeState): void {
    if (entry.startBlock === 0 && entry.blockCount === 0) return;
    const isFirst = volume.firstBlock === undefined;
    volume.firstBlock ??= entry.startBlock;
    this.#columns.startBlock.add(entry.startBlock, isFirst ? entry.startBlock : volume.nextBlock);
    this.#columns.blockCount.add(entry.blockCount, this.#blockCount);
    volume.nextBlock = entry.startBlock + entry.blockCount;
    this.#blockCount = entry.blockCount;
    if (!hasPayload(entry.type)) return;
    if (this.#firstAddress === holeAddress) {
      this.#firstAddress = entry.address;
      this.#nextAddress = entry.address;
    }
    this.#columns.address.add(entry.address, this.#nextAddress);
    this.#nextAddress = entry.address + entry.blockCount;
  }

  #volumeState(number: number): VolumeState {
    let state = this.#volumes.get(number);
    if (state === undefined) {
      const index = this.#volumes.size;
      state = { index, firstOrdinal: undefined, nextOrdinal: 0, firstBlock: undefined, nextBlock: 0 };
      this.#volumes.set(number, state);
    }
    return state;
  }

  /** The page; valid until the next one is finished. The next one goes on behind it. */
  finish(): Buffer {
    assert(this.#count > 0, "a page has records");
    const writer = this.#writer;
    writer.clear();
    const { seq, epoch, timeMicros, isInAggregate } = this.#start;
    for (const number of [this.#count, seq, epoch, timeMicros]) writer.putVarint(number);
    writer.putVarint(isInAggregate ? 1 : 0);
    writer.putVarint(this.#firstAddress);
    writer.putVarint(this.#volumes.size);
    for (const [number, { firstOrdinal, firstBlock }] of this.#volumes) {
      for (const part of [number, firstOrdinal ?? 0, firstBlock ?? 0]) writer.putVarint(part);
    }
    for (const name of recordColumns) this.#columns[name].finish(writer);
    writer.putBytes(this.#extras, 0, this.#extrasBytes);
    this.#begin();
    return writer.bytes;
  }

  #begin(): void {
    this.#start = this.#place;
    this.#volumes.clear();
    this.#extrasBytes = 0;
    this.#count = 0;
    this.#volumeIndex = 0;
    this.#level = 0;
    this.#blockCount = 0;
    this.#firstAddress = holeAddress;
    this.#nextAddress = holeAddress;
  }
}
