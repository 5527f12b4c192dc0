/**
 * The flushes of a group: each gets its record, then the spool is made durable, and where the mode is sync the remote is
 * asked to be as well.
 */
import type { Clock } from "#src/host/clock.ts";
import { recordType } from "#src/records/record.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { FlushDone } from "#src/wire/volume-link.ts";
import { FlushWaits } from "./flush-waits.ts";
import type { Order } from "./order.ts";
import type { Spool } from "./spool.ts";

export interface GroupFlushesParts {
  readonly order: Order;
  readonly spool: Spool;
  readonly link: GroupLink;
  readonly clock: Clock;
  readonly waitsForRemote: () => boolean;
  /** The spool could not be made durable. */
  readonly failed: (error: Error) => void;
}

/** A flush that found no room in the order is tried again so much later. */
const flushAgainMs = 250;

export class GroupFlushes {
  readonly #parts: GroupFlushesParts;
  readonly #waits = new FlushWaits();
  /** The newest record is a flush's: another flush needs none of its own. */
  #seq = 0;
  #over: Error | undefined;

  constructor(parts: GroupFlushesParts) {
    this.#parts = parts;
  }

  flush(volume: number, done: FlushDone): void {
    const { order, clock } = this.#parts;
    order.commit();
    const over = this.#over;
    if (over !== undefined) return clock.soon(() => done(over));
    if (this.#seq !== order.lastSeq || this.#seq === 0 || order.isStuck) {
      const seq = order.place(recordType.flush, volume);
      // What the flush covers cannot be complete before there is room.
      if (seq === undefined) return void clock.timer(flushAgainMs, () => this.flush(volume, done));
      this.#seq = seq;
    }
    this.whenSafe(this.#seq, done);
  }

  /** Calls back when the records up to this one are as safe as a flush promises. */
  whenSafe(seq: number, done: FlushDone): void {
    const { spool, link, waitsForRemote, failed } = this.#parts;
    this.#waits.add(seq, waitsForRemote(), done);
    spool.sync((error) => {
      if (error === null) this.#waits.spoolDurable(spool.durableSeq);
      else failed(error);
    });
    if (waitsForRemote() && link.isUp) link.askDurable(seq);
  }

  /** The remote is there, or has more; it may not have been asked yet for what is waited for. */
  remoteBack(durableSeq: number): void {
    this.#waits.remoteDurable(durableSeq);
    const wanted = this.#waits.remoteSeqWanted;
    if (wanted > 0) this.#parts.link.askDurable(wanted);
  }

  remoteDurable(seq: number): void {
    this.#waits.remoteDurable(seq);
  }

  /** Sync was left, and the remote is out of reach. */
  releaseRemote(): void {
    this.#waits.releaseRemote();
  }

  /** Those that wait fail, and all that come. */
  end(error: Error): void {
    this.#over ??= error;
    this.#waits.failAll(error);
  }
}
