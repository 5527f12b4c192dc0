/**
 * Folds the records of a journal: rows of them, each of an interval of time, become aggregates, in which of each block only the last
 * record that decides on it has left anything. Addresses stay. A pure function of the records, one after the other.
 *
 * Invariants: a point that is left reads as it did before; records that are no change of a block stay as they are, all but
 * flushes and marks whose time is over; no row crosses one of those, an interval, or a point that is to be kept.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { foldedPointExtentsMax } from "#src/core/store-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { foldedFigures } from "#src/records/aggregate-part.ts";
import { encodeExtra, recordType, wholeGroup } from "#src/records/record.ts";
import type { BlockExtent } from "./block-extent.ts";
import { BlockTouches } from "./block-touches.ts";
import type { JournalRecord } from "./journal-reader.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import type { SealedUnit } from "./sealed-piece-builder.ts";

export interface FoldRule {
  /** Seconds between points, at least; what was written at a coarser level has its own. 0: only that is folded. */
  readonly level: number;
  /** Whether a point stays behind this record. */
  readonly keepsPoint: (seq: number) => boolean;
  readonly keepsMark: (mark: JournalRecord) => boolean;
}

/** Records that stand or fall together: one, or those of an aggregate. */
interface FoldUnit {
  readonly firstSeq: number;
  readonly records: readonly JournalRecord[];
  readonly last: JournalRecord;
}

export class RecordFold {
  readonly #rule: FoldRule;
  #nextSeq: number;
  /** Of an aggregate that goes on. */
  #open: JournalRecord[] = [];
  #row: FoldRow | undefined;

  /** The first record stands for `firstSeq`. */
  constructor(rule: FoldRule, firstSeq: number) {
    this.#rule = rule;
    this.#nextSeq = firstSeq;
  }

  /** What is certain by now. */
  *add(record: JournalRecord): Generator<SealedUnit> {
    this.#open.push(record);
    if (record.isAggregated && record.type !== recordType.aggregate) return;
    // Within an epoch no seq is left out.
    const firstSeq = record.type === recordType.epoch ? record.seq : this.#nextSeq;
    const unit = { firstSeq, records: this.#open, last: record };
    this.#open = [];
    this.#nextSeq = record.seq + 1;
    yield* this.#addUnit(unit);
  }

  /** The rest. There is a point behind it. */
  *finish(): Generator<SealedUnit> {
    assert(this.#open.length === 0, "an aggregate has an end");
    yield* this.#endRow();
  }

  *#addUnit(unit: FoldUnit): Generator<SealedUnit> {
    if (!this.#isFoldable(unit.last)) {
      yield* this.#endRow();
      yield unchanged(unit);
      return;
    }
    if (this.#row?.takes(unit, this.#rule.level) === false) yield* this.#endRow();
    this.#row ??= new FoldRow();
    this.#row.add(unit);
    if (this.#rule.keepsPoint(unit.last.seq)) yield* this.#endRow();
  }

  #isFoldable(record: JournalRecord): boolean {
    switch (record.type) {
      case recordType.write:
      case recordType.trim:
      case recordType.zero:
      case recordType.flush:
      case recordType.aggregate:
        return true;
      case recordType.mark:
        return !this.#rule.keepsMark(record);
      default:
        return false;
    }
  }

  *#endRow(): Generator<SealedUnit> {
    const row = this.#row;
    this.#row = undefined;
    if (row !== undefined) yield row.folded();
  }
}

/** Units behind each other of which one point is left. */
class FoldRow {
  readonly #units: FoldUnit[] = [];
  readonly #changes: JournalRecord[] = [];
  /** Volumes that records speak of. */
  readonly #volumes = new Set<number>();
  #finestLevel = Number.POSITIVE_INFINITY;
  #records = 0;
  #bytes = 0;

  /** Whether there need be no point between. */
  takes({ records, last }: FoldUnit, ruledLevel: number): boolean {
    const before = this.#units.at(-1)?.last;
    if (before === undefined) return true;
    const finest = records.reduce((level, record) => Math.min(level, levelOf(record)), this.#finestLevel);
    const level = Math.max(ruledLevel, Number.isFinite(finest) ? finest : 0);
    const hasRoom = this.#changes.length + records.length <= foldedPointExtentsMax;
    return hasRoom && level > 0 && intervalOf(before, level) === intervalOf(last, level);
  }

  add(unit: FoldUnit): void {
    this.#units.push(unit);
    for (const record of unit.records) this.#addRecord(record, unit);
  }

  #addRecord(record: JournalRecord, { records }: FoldUnit): void {
    this.#finestLevel = Math.min(this.#finestLevel, levelOf(record));
    if (record.volume !== wholeGroup) this.#volumes.add(record.volume);
    if (record.blockCount > 0) this.#changes.push(record);
    const isAlone = records.length === 1;
    if (record.type === recordType.aggregate) {
      const said = foldedFigures(record.extra, { extraAt: 0, extraBytes: record.extraBytes });
      this.#records += said?.records ?? 0;
      this.#bytes += said?.bytes ?? 0;
    } else if (isAlone) {
      this.#records++;
      this.#bytes += record.type === recordType.write ? record.blockCount * blockBytes : 0;
    }
  }

  folded(): SealedUnit {
    const [first] = this.#units;
    const last = this.#units.at(-1)?.last;
    assert(first !== undefined && last !== undefined, "a row has something");
    if (this.#units.length === 1) return unchanged(first);
    const { seq, epoch, timeMicros } = last;
    const level = Number.isFinite(this.#finestLevel) ? this.#finestLevel : 0;
    const place = { seq, epoch, timeMicros, ordinal: 0, level, extraBytes: 0, extraAt: 0 };
    const changes = this.#lastChanges();
    for (const { volume } of changes) this.#volumes.delete(volume);
    const trim = { type: recordType.trim, startBlock: 0, blockCount: 0, address: holeAddress };
    const others = [...this.#volumes].map((volume) => ({ ...place, ...trim, volume }));
    const extra = encodeExtra({ records: this.#records, bytes: this.#bytes });
    const end = { ...place, ...trim, type: recordType.aggregate, volume: wholeGroup, extraBytes: extra.length };
    const records = [...changes.map((change) => ({ ...place, ...change })), ...others, { ...end, level: 0 }];
    return { firstSeq: first.firstSeq, isAggregate: true, records, bytes: extra };
  }

  /** Applied in their order they make what all of them make. */
  #lastChanges(): Pick<MetadataEntry, "type" | "volume" | "startBlock" | "blockCount" | "address" | "level">[] {
    const touches = new BlockTouches();
    for (const change of this.#changes) touches.add(change);
    const extents = [...touches.extents()];
    const changes: readonly BlockExtent[] = extents.length <= this.#changes.length ? extents : this.#changes;
    return changes.map(({ volume, startBlock, blockCount, address, level }) => {
      const type = address === holeAddress ? recordType.trim : recordType.write;
      return { type, volume, startBlock, blockCount, address, level };
    });
  }
}

/** As it was. */
function unchanged({ firstSeq, records, last }: FoldUnit): SealedUnit {
  return {
    firstSeq,
    isAggregate: last.isAggregated,
    records: records.map(({ extra: _, isAggregated: __, ...entry }) => ({ ...entry, extraAt: 0 })),
    bytes: last.extra,
  };
}

/** Of what changes nothing, any. */
function levelOf({ blockCount, level }: MetadataEntry): number {
  return blockCount === 0 ? Number.POSITIVE_INFINITY : level;
}

/** Those of a level are whole intervals of all finer ones that divide it. */
function intervalOf({ timeMicros }: MetadataEntry, level: number): number {
  return Math.floor(timeMicros / (level * 1e6));
}
