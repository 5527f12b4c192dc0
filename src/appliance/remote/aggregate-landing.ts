/**
 * Brings aggregates from the wire into the journals: the payload of each part as it comes, what speaks of all of them at
 * once, behind the last. So a crash at any moment leaves all of it or nothing that counts.
 *
 * Invariants: nothing of an unfinished aggregate is in the metadata journal; there is one unfinished aggregate at most.
 */
import { ReconnectError } from "#src/core/errors.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { DataJournal } from "#src/journals/data-journal.ts";
import type { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { type AggregatePartHeader, aggregatePartRecords } from "#src/records/aggregate-part.ts";
import { type BatchRecord, batchSpanBytes, hasSoundHeads, hasSoundPayload } from "#src/records/batch.ts";
import type { Receiver } from "./receiver.ts";
import { UnfinishedAggregate } from "./unfinished-aggregate.ts";

export interface AggregateLandingParts {
  readonly receiver: Receiver;
  readonly data: DataJournal;
  readonly metadata: MetadataJournal;
  readonly levelOf: (volume: number) => number;
  /** What did not arrive as it was sent. */
  readonly unsound: (what: string) => ReconnectError;
  /** An aggregate is in the metadata journal, and not written yet. */
  readonly accepted: (timeMicros: number) => void;
  readonly hook: FaultHook | undefined;
}

export class AggregateLanding {
  readonly #parts: AggregateLandingParts;
  #unfinished: UnfinishedAggregate | undefined;
  #count = 0;
  #foldedBytes = 0;
  #recordCount = 0;

  constructor(parts: AggregateLandingParts) {
    this.#parts = parts;
  }

  /** Aggregates taken since the start. */
  get count(): number {
    return this.#count;
  }

  /** Payload of the records that they stand for, which did not have to be sent. */
  get foldedBytes(): number {
    return this.#foldedBytes;
  }

  /** Records that they stand for. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /** Payload has landed of which nothing speaks yet. */
  get hasUnfinished(): boolean {
    return this.#unfinished !== undefined;
  }

  /** What has come of an aggregate that is not whole never counts; if it is sent again, it is from its beginning. */
  forget(): void {
    this.#unfinished = undefined;
  }

  /** Answers the bytes that the part takes. What is thrown leaves no unfinished aggregate. */
  landPart(bytes: Buffer, start: number, end: number, header: AggregatePartHeader): number {
    const unfinished = this.#unfinished;
    this.#unfinished = undefined;
    const records = this.#checkedRecords(bytes, start, end, header);
    if (this.#parts.receiver.judgeAggregate(header) === "known") return batchSpanBytes(header.batch);
    const aggregate = header.partNumber === 0 ? new UnfinishedAggregate(header) : unfinished;
    if (aggregate?.continuesWith(header) !== true) {
      const range = `${header.firstSeq} to ${header.lastSeq}`;
      throw new ReconnectError(
        `part ${header.partNumber} of the aggregate of the records ${range} is not the next one`,
      );
    }
    aggregate.judge(records);
    this.#parts.hook?.("remote.before-data");
    aggregate.take(bytes, records, this.#parts.data.land(bytes, records), this.#parts.levelOf);
    if (aggregate.folded === undefined) this.#unfinished = aggregate;
    else this.#finish(aggregate, aggregate.folded.bytes);
    return batchSpanBytes(header.batch);
  }

  #checkedRecords(bytes: Buffer, start: number, end: number, header: AggregatePartHeader): BatchRecord[] {
    const name = `of part ${header.partNumber} of the aggregate at ${header.firstSeq}`;
    if (start + batchSpanBytes(header.batch) > end) throw this.#parts.unsound(`the end ${name}`);
    if (!hasSoundHeads(bytes, start, header.batch)) throw this.#parts.unsound(`the heads ${name}`);
    const records = aggregatePartRecords(bytes, start, header);
    if (records === undefined) throw this.#parts.unsound(`what is said ${name}`);
    if (!records.every((record) => hasSoundPayload(bytes, record))) throw this.#parts.unsound(`the payload ${name}`);
    return records;
  }

  #finish(aggregate: UnfinishedAggregate, originalBytes: number): void {
    const { data, metadata, receiver } = this.#parts;
    // Before what speaks of it, of which some is written as soon as it is much.
    data.writeSums();
    metadata.addAggregate(aggregate.metadata);
    const { epoch, firstSeq, lastSeq } = aggregate.metadata;
    receiver.accepted(epoch, lastSeq);
    this.#count++;
    this.#recordCount += lastSeq - firstSeq + 1;
    this.#foldedBytes += Math.max(0, originalBytes - aggregate.payloadBytes);
    this.#parts.accepted(aggregate.timeMicros);
  }
}
