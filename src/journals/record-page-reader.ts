/** Reads a page of a sealed piece's records (docs/formats.md, "The sealed piece"), by itself, and checks each of them. */
import { recordExtraBytesMax } from "#src/core/limits.ts";
import { sealedPageRecordsMax } from "#src/core/store-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import type { JournalRecord } from "./journal-reader.ts";
import { isSoundEntry } from "./metadata-entry.ts";
import { PackedReader } from "./packed-bytes.ts";
import { ColumnReader } from "./packed-column.ts";
import { type OrderedEntry, type OrderPlace, placeBehind } from "./record-order.ts";
import { has, type recordColumns, recordKindMax, typeOfKind } from "./record-page-format.ts";

export interface RecordPage {
  /** Before its first record, and behind its last. */
  readonly start: OrderPlace;
  readonly end: OrderPlace;
  readonly records: readonly JournalRecord[];
}

/** Which types of records a page has, and of which volumes. */
export interface RecordPageSurvey {
  readonly recordCount: number;
  readonly types: ReadonlySet<number>;
  /** In the order of their first records. */
  readonly volumes: readonly number[];
  readonly hasAggregated: boolean;
}

/** Reads no more of the page than that. Undefined: the bytes are no page of this version. */
export function surveyRecordPage(bytes: Buffer): RecordPageSurvey | undefined {
  const reader = new PackedReader(bytes);
  const recordCount = reader.takeVarint();
  // Seq, epoch, time, whether an aggregate goes on, and the first address.
  for (let number = 0; number < 5; number++) reader.takeVarint();
  const volumeCount = reader.takeVarint();
  const isBounded = recordCount >= 1 && recordCount <= sealedPageRecordsMax;
  if (!isBounded || volumeCount < 1 || volumeCount > recordCount) return undefined;
  const volumes = Array.from({ length: volumeCount }, () => {
    const volume = reader.takeVarint();
    reader.takeVarint();
    reader.takeVarint();
    return volume;
  });
  const kinds = new ColumnReader(reader, recordCount, recordKindMax);
  const found = new Set<number>();
  for (let record = 0; record < recordCount; record++) found.add(kinds.take(0));
  if (reader.isBroken) return undefined;
  const hasAggregated = [...found].some((kind) => (kind & has.aggregate) !== 0);
  return { recordCount, types: new Set([...found].map(typeOfKind)), volumes, hasAggregated };
}

/** Undefined: the bytes are no page of this version. */
export function decodeRecordPage(bytes: Buffer): RecordPage | undefined {
  const reader = new PackedReader(bytes);
  const count = reader.takeVarint();
  const [seq, epoch, timeMicros] = [reader.takeVarint(), reader.takeVarint(), reader.takeVarint()];
  const openness = reader.takeVarint();
  const start = { seq, epoch, timeMicros, isInAggregate: openness === 1 };
  const firstAddress = reader.takeVarint();
  const volumeCount = reader.takeVarint();
  const isBounded = count >= 1 && count <= sealedPageRecordsMax && openness <= 1;
  if (!isBounded || volumeCount < 1 || volumeCount > count) return undefined;
  const volumes = Array.from({ length: volumeCount }, () => ({
    number: reader.takeVarint(),
    nextOrdinal: reader.takeVarint(),
    nextBlock: reader.takeVarint(),
  }));
  const entries = new EntryColumns(reader, count, volumes);
  return reader.isBroken ? undefined : pageOf(reader, start, entries.entries(start, firstAddress));
}

/** What the records of a volume so far say of the next one. */
interface VolumePrediction {
  readonly number: number;
  nextOrdinal: number;
  nextBlock: number;
}

type Columns = Record<Exclude<(typeof recordColumns)[number], "kind">, ColumnReader>;

class EntryColumns {
  readonly #volumes: readonly VolumePrediction[];
  readonly #kinds: readonly number[];
  readonly #columns: Columns;
  #blockCount = 0;
  #nextAddress = holeAddress;

  constructor(reader: PackedReader, count: number, volumes: readonly VolumePrediction[]) {
    this.#volumes = volumes;
    const kindColumn = new ColumnReader(reader, count, recordKindMax);
    this.#kinds = Array.from({ length: count }, () => kindColumn.take(0));
    const rangeCount = this.#countOf((kind) => (kind & has.range) !== 0);
    const payloadCount = this.#countOf((kind) => (kind & has.range) !== 0 && hasPayload(typeOfKind(kind)));
    const ordinalCount = this.#countOf((kind) => (kind & has.ordinal) !== 0);
    const extraCount = this.#countOf((kind) => (kind & has.extra) !== 0);
    // They lie there in this order.
    this.#columns = {
      volume: new ColumnReader(reader, count, volumes.length - 1),
      seq: new ColumnReader(reader, count),
      epoch: new ColumnReader(reader, count),
      time: new ColumnReader(reader, count),
      level: new ColumnReader(reader, count),
      startBlock: new ColumnReader(reader, rangeCount),
      blockCount: new ColumnReader(reader, rangeCount),
      address: new ColumnReader(reader, payloadCount),
      ordinal: new ColumnReader(reader, ordinalCount),
      extra: new ColumnReader(reader, extraCount, recordExtraBytesMax / 8),
    };
  }

  #countOf(isOne: (kind: number) => boolean): number {
    return this.#kinds.filter(isOne).length;
  }

  *entries(start: OrderPlace, firstAddress: number): Generator<OrderedEntry> {
    const columns = this.#columns;
    let { seq, epoch, timeMicros } = start;
    let [volumeIndex, level] = [0, 0];
    this.#nextAddress = firstAddress;
    for (const kind of this.#kinds) {
      volumeIndex = columns.volume.take(volumeIndex);
      seq = columns.seq.take(seq + 1);
      epoch = columns.epoch.take(epoch);
      timeMicros = columns.time.take(timeMicros);
      level = columns.level.take(level);
      const volume = this.#volumes[volumeIndex] as VolumePrediction;
      const blocks = this.#blocks(kind, volume);
      const ordinal = (kind & has.ordinal) === 0 ? 0 : columns.ordinal.take(volume.nextOrdinal);
      if (ordinal !== 0) volume.nextOrdinal = ordinal + 1;
      const extraBytes = (kind & has.extra) === 0 ? 0 : columns.extra.take(0) * 8;
      const isAggregated = (kind & has.aggregate) !== 0;
      const place = { type: typeOfKind(kind), volume: volume.number, seq, epoch, timeMicros };
      yield { ...place, ...blocks, ordinal, level, extraBytes, isAggregated };
    }
  }

  #blocks(kind: number, volume: VolumePrediction): { startBlock: number; blockCount: number; address: number } {
    if ((kind & has.range) === 0) return { startBlock: 0, blockCount: 0, address: holeAddress };
    const startBlock = this.#columns.startBlock.take(volume.nextBlock);
    const blockCount = this.#columns.blockCount.take(this.#blockCount);
    volume.nextBlock = startBlock + blockCount;
    this.#blockCount = blockCount;
    if (!hasPayload(typeOfKind(kind))) return { startBlock, blockCount, address: holeAddress };
    const address = this.#columns.address.take(this.#nextAddress);
    this.#nextAddress = address + blockCount;
    return { startBlock, blockCount, address };
  }
}

/** With the extra parts, which lie behind the columns, and every record checked. */
function pageOf(reader: PackedReader, start: OrderPlace, entries: Iterable<OrderedEntry>): RecordPage | undefined {
  const records: JournalRecord[] = [];
  let end = start;
  for (const entry of entries) {
    const place = placeBehind(end, entry);
    if (place === undefined || !isSoundEntry(entry)) return undefined;
    records.push({ ...entry, extra: Buffer.from(reader.takeBytes(entry.extraBytes)) });
    end = place;
  }
  return reader.isBroken || !reader.isAtEnd ? undefined : { start, end, records };
}
