/**
 * Which entry of a metadata journal may follow which: seqs without gaps within an epoch, and aggregates whole. The one
 * statement of it for whoever seals entries and whoever reads them again.
 */
import { isOfBlocks, recordType } from "#src/records/record.ts";
import type { MetadataEntry } from "./metadata-entry.ts";

/** How far an order is. */
export interface OrderPlace {
  readonly seq: number;
  readonly epoch: number;
  readonly timeMicros: number;
  /** The last entry was of an aggregate that goes on. */
  readonly isInAggregate: boolean;
}

export interface OrderedEntry extends MetadataEntry {
  /** Up to an `aggregate` entry, together with others of the same seq. */
  readonly isAggregated: boolean;
}

/** How far the order is behind the entry; undefined: it cannot follow there. */
export function placeBehind(place: OrderPlace, entry: OrderedEntry): OrderPlace | undefined {
  const follows = entry.isAggregated ? followsAggregated(place, entry) : followsAlone(place, entry);
  if (!follows) return undefined;
  const { seq, epoch, timeMicros } = entry;
  return { seq, epoch, timeMicros, isInAggregate: entry.isAggregated && entry.type !== recordType.aggregate };
}

function followsAlone(place: OrderPlace, { type, seq, epoch }: OrderedEntry): boolean {
  if (place.isInAggregate || type === recordType.aggregate) return false;
  if (epoch === place.epoch) return seq === place.seq + 1;
  return type === recordType.epoch && epoch > place.epoch && seq > place.seq;
}

function followsAggregated(place: OrderPlace, entry: OrderedEntry): boolean {
  const { type, seq, epoch, timeMicros, extraBytes } = entry;
  if (type !== recordType.aggregate && (!isOfBlocks(type) || extraBytes > 0)) return false;
  if (epoch !== place.epoch) return false;
  return place.isInAggregate ? seq === place.seq && timeMicros === place.timeMicros : seq > place.seq;
}
