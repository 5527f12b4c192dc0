/**
 * Sends what the journals have back to the local appliance, as batches, as fast as it takes them. Each block is checked
 * once more on the way. Records that came folded do not come apart again; the spool has them durably, or has lost what it
 * promised to keep.
 */

import { ResyncError } from "#src/core/errors.ts";
import { batchBytesMax, recordPayloadBytesMax } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { JournalReader, JournalRecord } from "#src/journals/journal-reader.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { hasPayload } from "#src/records/record.ts";
import type { GroupSession } from "#src/wire/group-link.ts";

export interface FetchPumpParts {
  readonly clock: Clock;
  readonly session: GroupSession;
  readonly reader: JournalReader;
  readonly afterSeq: number;
  readonly lastSeq: number;
  /** Called once, at the end: with the error that ended it too early. */
  readonly ended: (error: Error | null) => void;
}

export class FetchPump {
  readonly #parts: FetchPumpParts;
  readonly #records: AsyncGenerator<JournalRecord, void>;
  readonly #builder = new BatchBuilder();
  readonly #buffer = Buffer.alloc(batchBytesMax);
  readonly #payload = Buffer.alloc(recordPayloadBytesMax);
  /** Read, and not sent: the first of the next batch. */
  #next: JournalRecord | undefined;
  #isWaiting = false;
  #isEnded = false;

  constructor(parts: FetchPumpParts) {
    this.#parts = parts;
    this.#records = parts.reader.records(parts.afterSeq, parts.lastSeq);
  }

  start(): void {
    this.#soon();
  }

  drained(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#soon();
  }

  /** Others get their turn between two batches. */
  #soon(): void {
    this.#parts.clock.soon(() => void this.#step());
  }

  async #step(): Promise<void> {
    if (this.#isEnded) return;
    try {
      const byteLength = await this.#nextBatch();
      // Who asked may be gone meanwhile.
      if (this.#isEnded) return;
      if (byteLength === 0) {
        this.#parts.session.endFetch();
        this.#end(null);
      } else if (this.#parts.session.sendBatch(this.#buffer, 0, byteLength)) this.#soon();
      else this.#isWaiting = true;
    } catch (error) {
      if (!this.#isEnded) this.#end(error as Error);
    }
  }

  /** 0: there is none. */
  async #nextBatch(): Promise<number> {
    const first = this.#next ?? (await this.#take());
    if (first === undefined) return 0;
    if (first.isAggregated) throw onlyFolded(first);
    this.#builder.begin(this.#buffer, 0);
    let count = 0;
    let record: JournalRecord | undefined = first;
    for (; record !== undefined && this.#fits(record, first, count); record = await this.#take()) {
      await this.#add(record);
      if (this.#isEnded) return 0;
      count++;
    }
    this.#next = record;
    const { epoch, seq: firstSeq, timeMicros } = first;
    return this.#builder.finish({ epoch, firstSeq, timeMicros, incarnation: 0, position: 0, durableSeq: 0 });
  }

  async #take(): Promise<JournalRecord | undefined> {
    const { done, value } = await this.#records.next();
    return done === true ? undefined : value;
  }

  /** The records of a batch follow each other, and are of one epoch and one time. */
  #fits(record: JournalRecord, first: JournalRecord, count: number): boolean {
    const isNext = !record.isAggregated && record.seq === first.seq + count && record.epoch === first.epoch;
    const blockCount = hasPayload(record.type) ? record.blockCount : 0;
    return (
      isNext && record.timeMicros === first.timeMicros && this.#builder.hasRoomFor(blockCount, record.extra.length)
    );
  }

  async #add(record: JournalRecord): Promise<void> {
    if (!hasPayload(record.type)) {
      this.#builder.add(record, record.extra);
      return;
    }
    await this.#parts.reader.readPayload(record, this.#payload, 0);
    this.#builder.addWrite(record, this.#payload, 0);
  }

  /** Nothing is called afterwards. */
  stop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // What is being read just now ends first, and nobody hears of it.
    void this.#records.return().catch(() => {});
    this.#parts.reader.close();
  }

  #end(error: Error | null): void {
    this.stop();
    this.#parts.ended(error);
  }
}

function onlyFolded({ seq }: JournalRecord): ResyncError {
  return new ResyncError(`records up to ${seq} are here only as an aggregate, and cannot be given back one by one`);
}
