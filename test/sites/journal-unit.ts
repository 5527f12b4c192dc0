/** What counts as one in a metadata journal: a batch of records, or all batches of an aggregate (docs/formats.md). */
import { type FoundBatch, type FoundEntry, magics } from "./batch-reading.ts";
import { type as recordTypes } from "./record-history.ts";
import { demand } from "./violation.ts";

export interface JournalUnit {
  readonly isAggregate: boolean;
  readonly epoch: number;
  /** Of the records that it stands for. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** In the order in which they are applied. */
  readonly entries: readonly FoundEntry[];
}

/** Is given the batches of a piece in their order. */
export class UnitGatherer {
  #open: FoundEntry[] = [];
  #firstSeq = 0;

  /** Something of an aggregate has come, and its end has not. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** Undefined: the batch is of an aggregate that goes on. */
  add(batch: FoundBatch, entries: readonly FoundEntry[]): JournalUnit | undefined {
    const { epoch, firstSeq } = batch;
    if (batch.magic !== magics.metadataAggregate) {
      demand("prefix", !this.isOpen, () => `an aggregate from seq ${this.#firstSeq} on is left without an end`);
      return { isAggregate: false, epoch, firstSeq, lastSeq: firstSeq + entries.length - 1, entries };
    }
    const [first] = this.#open;
    const isNext = first === undefined || (firstSeq === this.#firstSeq && entries.every((it) => isOfOne(first, it)));
    demand("prefix", isNext, () => `an aggregate from seq ${this.#firstSeq} on goes over into another`);
    this.#firstSeq = firstSeq;
    this.#open.push(...entries);
    const ends = this.#open.filter(({ type }) => type === recordTypes.aggregate).length;
    const isWhole = this.#open.at(-1)?.type === recordTypes.aggregate;
    demand("prefix", ends === (isWhole ? 1 : 0), () => `an aggregate from seq ${firstSeq} on ends before its end`);
    if (!isWhole) return undefined;
    const all = this.#open;
    this.#open = [];
    return { isAggregate: true, epoch, firstSeq, lastSeq: all[0]?.seq ?? 0, entries: all };
  }
}

function isOfOne(a: FoundEntry, b: FoundEntry): boolean {
  return a.seq === b.seq && a.epoch === b.epoch && a.time === b.time;
}
