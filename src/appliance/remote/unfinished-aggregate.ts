/**
 * An aggregate of which parts have landed, and its end has not come: what will speak of it, kept in memory until then.
 * What a peer sends decides nothing here but whether its parts are one row; nothing of it counts before it is whole.
 *
 * Invariants: the parts 0 to nextPart - 1 were taken, each once; blocks <= aggregateBlocksMax; ranges <= aggregateRangesMax.
 */
import { ReconnectError } from "#src/core/errors.ts";
import { aggregateBlocksMax, aggregateRangesMax, blockBytes } from "#src/core/limits.ts";

import { MetadataAggregate } from "#src/journals/metadata-aggregate.ts";
import { type AggregatePlace, type FoldedFigures, foldedFigures, mayFollow } from "#src/records/aggregate-part.ts";
import type { BatchRecord } from "#src/records/batch.ts";
import { hasPayload, recordType } from "#src/records/record.ts";

export class UnfinishedAggregate {
  readonly metadata: MetadataAggregate;
  #nextPart = 0;
  #last: BatchRecord | undefined;
  #blocks = 0;
  #ranges = 0;
  #folded: FoldedFigures | undefined;

  constructor({ epoch, firstSeq, lastSeq }: AggregatePlace) {
    this.metadata = new MetadataAggregate(epoch, firstSeq, lastSeq);
  }

  /** Of the payload that has landed for it. */
  get payloadBytes(): number {
    return this.#blocks * blockBytes;
  }

  get timeMicros(): number {
    return this.#last?.timeMicros ?? 0;
  }

  /** What went into it; undefined: its end has not come. */
  get folded(): FoldedFigures | undefined {
    return this.#folded;
  }

  /** Whether the part, a first one, does not begin anew. */
  continuesWith(place: AggregatePlace): boolean {
    const { epoch, firstSeq, lastSeq } = this.metadata;
    const isSame = place.epoch === epoch && place.firstSeq === firstSeq && place.lastSeq === lastSeq;
    return isSame && place.partNumber === this.#nextPart;
  }

  /** Throws a `ReconnectError` unless the records of the next part may come behind those before. Changes nothing. */
  judge(records: readonly BatchRecord[]): void {
    const [first] = records;
    if (first !== undefined && this.#last !== undefined && !mayFollow(this.#last, first)) {
      throw new ReconnectError(`part ${this.#nextPart} of ${this.#name} does not go on where the one before ended`);
    }
    const isLarge =
      this.#blocks + blocksOf(records) > aggregateBlocksMax || this.#ranges + rangesOf(records) > aggregateRangesMax;
    if (isLarge) throw new ReconnectError(`${this.#name} is larger than an aggregate may be`);
  }

  get #name(): string {
    return `the aggregate of the records ${this.metadata.firstSeq} to ${this.metadata.lastSeq}`;
  }

  /** The records of the next part, which were judged; their payloads have landed at `addresses`. */
  take(
    bytes: Buffer,
    records: readonly BatchRecord[],
    addresses: readonly number[],
    levelOf: (volume: number) => number,
  ): void {
    for (const [index, record] of records.entries()) {
      const address = addresses[index] as number;
      this.metadata.add({ ...record, address, level: levelOf(record.volume) }, bytes, record.extraAt);
      if (record.type === recordType.aggregate) this.#folded = foldedFigures(bytes, record);
    }
    this.#blocks += blocksOf(records);
    this.#ranges += rangesOf(records);
    this.#last = records.at(-1);
    this.#nextPart++;
  }
}

function blocksOf(records: readonly BatchRecord[]): number {
  return records.reduce((sum, { type, blockCount }) => sum + (hasPayload(type) ? blockCount : 0), 0);
}

function rangesOf(records: readonly BatchRecord[]): number {
  return records.filter(({ type }) => type === recordType.trim || type === recordType.zero).length;
}
