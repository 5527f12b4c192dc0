/**
 * Decides what the remote appliance takes, for one group: which writer, which batch, which of its records, which
 * aggregate. Pure: fed with what a peer says and what the journals hold.
 *
 * Invariants: received only grows; so do epoch and life; each record of the order is accepted at most once.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError, ResyncError } from "#src/core/errors.ts";
import type { AggregatePlace } from "#src/records/aggregate-part.ts";
import type { PreviousEpoch } from "#src/records/batch-inspection.ts";
import type { GroupHello } from "#src/wire/group-link.ts";

/** The one who may write, durably known before anything is taken from him. */
export interface Writer {
  readonly writer: string;
  /** 0: nobody has ever written. */
  readonly life: number;
  /** The highest that a writer has named. */
  readonly epoch: number;
}

export interface Place {
  /** Of the newest record; 0: there is none. */
  readonly epoch: number;
  /** The highest seq up to which all records are here. */
  readonly received: number;
}

export interface ReceivedBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly recordCount: number;
  /** What its first record says, if that is an `epoch` record. */
  readonly previous: PreviousEpoch | undefined;
}

/** Of a batch or an aggregate. */
type Started = Pick<ReceivedBatch, "epoch" | "firstSeq">;

/** What may be the matter, and what to do then. */
const oldJournals =
  "where the remote appliance has lost its disk 'tidemark rebuild' comes first, there; otherwise, or where it has no store, " +
  "'tidemark volume move-spool' and then 'tidemark volume resync' journal all anew";
const oldCopy = "if this is an old copy of its data, 'tidemark volume move-spool' goes on from the sources";

export class Receiver {
  #place: Place;
  #spool: { readonly firstSeq: number; readonly lastSeq: number } = { firstSeq: 0, lastSeq: 0 };
  /** What was here when the writer came. He goes on behind it. */
  #receivedAtHello = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  get place(): Place {
    return this.#place;
  }

  /** Returns for whom may write. Nothing is changed yet: `admit` follows when he is known durably. */
  judge(hello: GroupHello, known: Writer): void {
    if (hello.life < known.life) {
      throw new RefuseError(
        `two writers of one group: this one is of life ${hello.life}, and there is one of life ${known.life} already; ${oldCopy}`,
      );
    }
    if (hello.life === known.life && hello.writer !== known.writer) {
      throw new RefuseError(`two writers of one group: both claim to be of life ${hello.life}`);
    }
    const epoch = Math.max(known.epoch, this.#place.epoch);
    if (hello.epoch < epoch) {
      throw new RefuseError(
        `this is an old copy of the local appliance's data: it is in epoch ${hello.epoch}, and the group has been in ${epoch}; ${oldCopy}`,
      );
    }
    // In a later epoch the spool may begin behind a jump; its first record says whether that is legal.
    if (hello.epoch === this.#place.epoch && this.#isSpoolBehindGap(hello)) {
      throw new ResyncError(
        `the records ${this.#place.received + 1} to ${hello.firstSeq - 1} are neither here nor in the spool; ${oldJournals}`,
      );
    }
    const isFirst = this.#place.epoch === 0 && hello.epoch <= 1;
    if (isFirst && this.#isSpoolBehindGap(hello)) {
      throw new ResyncError(
        `the group is unknown here, and its spool has lost the records before ${hello.firstSeq}; ${oldJournals}`,
      );
    }
  }

  #isSpoolBehindGap(hello: GroupHello): boolean {
    return hello.lastSeq > 0 && hello.firstSeq > this.#place.received + 1;
  }

  admit(hello: GroupHello): void {
    this.#spool = { firstSeq: hello.firstSeq, lastSeq: hello.lastSeq };
    this.#receivedAtHello = this.#place.received;
  }

  /** How many of the batch's first records are here already; all of them, for a batch that was resent. */
  judgeBatch(batch: ReceivedBatch): number {
    const { received, epoch } = this.#place;
    const lastSeq = batch.firstSeq + batch.recordCount - 1;
    this.#refuseSecondUse(batch.firstSeq, lastSeq);
    // Before all else: what is of a later epoch than all that is here cannot be here.
    if (batch.epoch > epoch && batch.previous !== undefined) {
      this.#allowJump(batch, batch.previous);
      return 0;
    }
    if (batch.epoch > epoch && received > 0) this.#refuseEpoch(batch);
    if (lastSeq <= received) return batch.recordCount;
    if (batch.epoch < epoch) this.#refuseStale(batch);
    if (batch.firstSeq > received + 1) this.#refuseGap(batch);
    return Math.max(0, received + 1 - batch.firstSeq);
  }

  /**
   * Whether what an aggregate stands for is here already, or comes next. It is taken whole or not at all: one that begins
   * with known records and ends with others was cut by somebody who did not hear what is here.
   */
  judgeAggregate(aggregate: AggregatePlace): "known" | "next" {
    const { received, epoch } = this.#place;
    this.#refuseSecondUse(aggregate.firstSeq, aggregate.lastSeq);
    if (aggregate.epoch > epoch && received > 0) this.#refuseEpoch(aggregate);
    if (aggregate.lastSeq <= received) return "known";
    if (aggregate.epoch < epoch) this.#refuseStale(aggregate);
    if (aggregate.firstSeq > received + 1) this.#refuseGap(aggregate);
    if (aggregate.firstSeq <= received) {
      const range = `${aggregate.firstSeq} to ${aggregate.lastSeq}`;
      throw new ReconnectError(`an aggregate of the records ${range} came, and those up to ${received} are here`);
    }
    return "next";
  }

  /** The records are in the journals, or will be before anything else is. */
  accepted(epoch: number, lastSeq: number): void {
    assert(lastSeq > this.#place.received && epoch >= this.#place.epoch, "a record is accepted once, in order");
    this.#place = { epoch, received: lastSeq };
  }

  /**
   * A writer whose spool ended before what is here, and who did not fetch the rest, would give its seqs to other records:
   * those would pass for known ones.
   */
  #refuseSecondUse(firstSeq: number, lastSeq: number): void {
    const isSpoolShort = this.#spool.lastSeq > 0 && this.#spool.lastSeq < this.#receivedAtHello;
    if (isSpoolShort && firstSeq <= this.#receivedAtHello && lastSeq > this.#spool.lastSeq) {
      const claim = `the writer, whose spool ended at ${this.#spool.lastSeq}, gives their numbers to others`;
      throw new ResyncError(`the records up to ${this.#receivedAtHello} are here, and ${claim}`);
    }
  }

  #refuseEpoch(started: Started): never {
    if (started.firstSeq > this.#place.received + 1) this.#refuseGap(started);
    throw new ResyncError(`epoch ${started.epoch} begins at ${started.firstSeq} without a record that says so`);
  }

  #refuseStale({ firstSeq, epoch }: Started): never {
    throw new RefuseError(`the records from ${firstSeq} on are of epoch ${epoch}, and it is ${this.#place.epoch} now`);
  }

  #allowJump(batch: ReceivedBatch, previous: PreviousEpoch): void {
    const { received, epoch } = this.#place;
    const why = `epoch ${batch.epoch}, which begins at ${batch.firstSeq},`;
    if (previous.epoch >= batch.epoch || previous.lastSeq >= batch.firstSeq) {
      throw new ResyncError(`${why} claims to follow epoch ${previous.epoch}, which ended at ${previous.lastSeq}`);
    }
    if (batch.firstSeq <= received) {
      throw new ResyncError(`${why} takes seqs that records of epoch ${epoch} have, up to ${received}`);
    }
    if (previous.lastSeq > received) {
      this.#refuseGap(batch, `${why} follows ${previous.lastSeq}, and here are only the records up to ${received}`);
    }
  }

  /** Where the spool may have what is missing, a new connection brings it; not if its very first record came. */
  #refuseGap(batch: Started, why?: string): never {
    const { received } = this.#place;
    if (this.#spool.lastSeq > 0 && batch.firstSeq <= this.#spool.firstSeq) {
      const loss = `the records ${received + 1} to ${batch.firstSeq - 1} are neither here nor in the spool`;
      throw new ResyncError(`${why ?? loss}; ${oldJournals}`);
    }
    throw new ReconnectError(why ?? `a gap: after record ${received} comes ${batch.firstSeq}`);
  }
}
