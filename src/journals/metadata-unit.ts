/** What counts as one in a metadata journal: a batch of records, or an aggregate with all of its batches. */
import { aggregateRecordsMax } from "#src/core/limits.ts";
import { lastSeqOf } from "#src/records/batch.ts";
import { isOfOnePlace } from "./metadata-aggregate.ts";
import type { MetadataRecord } from "./metadata-entry.ts";
import type { FoundBatch, FoundElse, MetadataPiece } from "./metadata-piece.ts";
import type { PlainBatch } from "./plain-batch.ts";

export interface FoundUnit {
  readonly finding: "sound";
  readonly epoch: number;
  /** Of the records that it stands for. There is no point but the last of an aggregate's, and its entries have that seq. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly isAggregate: boolean;
  /** What was durable when it was written. */
  readonly durableSeq: number;
  /** None where there is `plain` in their place. */
  readonly records: readonly MetadataRecord[];
  /** Only for who asked for it. */
  readonly plain?: PlainBatch;
  /** Where extra parts lie; valid until the piece is read on. */
  readonly bytes: Buffer;
  /** In the file. */
  readonly offset: number;
  readonly nextOffset: number;
}

/** An aggregate that has no end is not there: what hinders it is found where it begins. */
export function unitAt(piece: MetadataPiece, offset: number): FoundUnit | FoundElse {
  const first = piece.at(offset);
  if (first.finding !== "sound") return first;
  if (!first.isOpen) return unitOf(first, first, first.records);
  const records = [...first.records];
  for (let last = first; ; ) {
    const next = piece.at(last.nextOffset);
    if (next.finding !== "sound") return { finding: next.finding, offset, header: first.header };
    if (!isOfAggregate(first, next)) return { finding: "gap", offset, header: first.header };
    records.push(...next.records);
    if (records.length > aggregateRecordsMax) return { finding: "brokenHeads", offset, header: first.header };
    if (!next.isOpen) return unitOf(first, next, records);
    last = next;
  }
}

/** The same, with nothing made of the records of a batch where none of them needs that. */
export function plainUnitAt(piece: MetadataPiece, offset: number): FoundUnit | FoundElse {
  const found = piece.plainAt(offset);
  if (found === undefined) return unitAt(piece, offset);
  const { header, plain, bytes, nextOffset } = found;
  const { epoch, firstSeq, durableSeq } = header;
  const place = { epoch, firstSeq, lastSeq: lastSeqOf(header), isAggregate: false, durableSeq };
  return { finding: "sound", ...place, records: noRecords, plain, bytes, offset, nextOffset };
}

const noRecords: readonly MetadataRecord[] = [];

function isOfAggregate(first: FoundBatch, next: FoundBatch): boolean {
  const [a, b] = [first.records[0], next.records[0]];
  const hasSameStart = next.isAggregate && next.header.firstSeq === first.header.firstSeq;
  return hasSameStart && a !== undefined && b !== undefined && isOfOnePlace(a, b);
}

function unitOf(first: FoundBatch, last: FoundBatch, records: readonly MetadataRecord[]): FoundUnit {
  const { epoch, firstSeq } = first.header;
  const { isAggregate, offset } = first;
  const { lastSeq, bytes, nextOffset } = last;
  const durableSeq = Math.max(first.header.durableSeq, last.header.durableSeq);
  return { finding: "sound", epoch, firstSeq, lastSeq, isAggregate, durableSeq, records, bytes, offset, nextOffset };
}
