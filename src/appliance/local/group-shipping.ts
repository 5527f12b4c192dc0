/**
 * How a group's batches get to the remote: as they are, or in aggregates, by the mode that their records were added under.
 * Each of the two ways begins where the other one ends; one of them has its turn at a time.
 */
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { lastSeqOf } from "#src/records/batch.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { Crowd } from "../crowd.ts";
import type { AggregatePolicy } from "./aggregate-gatherer.ts";
import { AggregateShipper, noAggregates } from "./aggregate-shipper.ts";
import type { ModeHistory } from "./mode-history.ts";
import type { Appended } from "./order.ts";
import { Shipper } from "./shipper.ts";
import type { Spool } from "./spool.ts";
import { SpoolUnread } from "./spool-unread.ts";

export interface GroupShippingParts {
  readonly spool: Spool;
  readonly link: GroupLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly aggregate: AggregatePolicy;
  /** Of all groups that gather batches for a frame. */
  readonly crowd: Crowd;
  /** Whether memory of batches is so plenty that some may be kept until the link takes it. */
  readonly mayKeep: () => boolean;
  /** Under which modes the spool's records were added. */
  readonly modes: ModeHistory;
  /**
   * Whether aggregates are cut as soon as they can leave: the group is on its way to another mode, or hosts would soon be
   * made to wait for what an aggregate waits for.
   */
  readonly isHurried: () => boolean;
  /** The spool could not be read back or synced. */
  readonly failed: (error: Error) => void;
}

/** Since the start; what was shipped again counts again. */
export interface ShippingFigures {
  /** Batches and parts of aggregates, */
  readonly shippedBytes: number;
  /** and what they came to on the wire. */
  readonly wireBytes: number;
  /** In so many frames. */
  readonly wireFrames?: number;
  readonly aggregates: number;
  /** Payload that was overwritten before it was sent, and so never was. */
  readonly foldedBytes: number;
}

export class GroupShipping {
  readonly #parts: GroupShippingParts;
  readonly #unread: SpoolUnread;
  readonly #plain: Shipper;
  /** Made when it is first needed. */
  #aggregates: AggregateShipper | undefined;
  /** What the remote had when the link came up. */
  #receivedSeq = 0;
  #turn: "nobody" | "plain" | "aggregates" = "nobody";
  /** The plain way has been told where it ends. */
  #isPlainEnding = false;
  /** Each `begin` and `end` begins another one. */
  #life = 0;

  constructor(parts: GroupShippingParts) {
    this.#parts = parts;
    this.#unread = new SpoolUnread(parts);
    const { spool, link, clock, crowd, mayKeep } = parts;
    const reached = (position: number): void => this.#goOn(position);
    this.#plain = new Shipper({ spool, link, clock, crowd, mayKeep, unread: this.#unread, reached });
  }

  get figures(): ShippingFigures {
    const { batchBytes, wireBytes, frames: wireFrames } = this.#parts.link.traffic;
    const { aggregates, foldedBytes } = this.#aggregates?.figures ?? noAggregates;
    return { shippedBytes: batchBytes, wireBytes, wireFrames, aggregates, foldedBytes };
  }

  /** The link is up: everything behind the record with this seq is to be shipped. */
  begin(receivedSeq: number): void {
    this.end();
    this.#receivedSeq = receivedSeq;
    this.#read(() => this.#handOver(this.#parts.spool.positionAfter(receivedSeq)));
  }

  /** The link holds nothing any more. */
  end(): void {
    this.#life++;
    this.#turn = "nobody";
    this.#plain.end();
    this.#aggregates?.end();
  }

  appended(batch: Appended, isAwaited: boolean): void {
    if (this.#turn === "aggregates") return this.#aggregates?.appended(batch);
    // Found in the spool when its turn has come.
    if (this.#turn === "nobody" || this.#isPlainEnding) return;
    if (this.#isFolded(batch.firstSeq)) this.#endPlain(batch.position);
    else this.#plain.appended(batch, isAwaited);
  }

  /** The remote's answer. */
  received(seq: number): void {
    this.#plain.received(seq);
  }

  mayShip(): void {
    this.#plain.mayShip();
    this.#aggregates?.mayShip();
  }

  /** Writers wait for memory. */
  letGo(): void {
    this.#plain.letGo();
  }

  /** `isHurried` may have changed. */
  hurry(): void {
    this.#aggregates?.hurry();
  }

  #goOn(position: number): void {
    this.#read(() => this.#handOver(position));
  }

  #read(act: () => void): void {
    const life = this.#life;
    try {
      act();
    } catch (error) {
      this.#unread.isTriedAgain(error as Error, () => {
        if (life === this.#life) this.#read(act);
      });
    }
  }

  /** What could not be read can be tried again: nothing has changed then. */
  #handOver(position: number): void {
    const { spool } = this.#parts;
    const found = spool.headsAt(position);
    const seq = found?.header.firstSeq ?? spool.lastSeq + 1;
    if (this.#isFolded(seq)) {
      this.#turn = "aggregates";
      this.#begun.begin(position, this.#receivedSeq);
      return;
    }
    const endPosition = found === undefined ? undefined : this.#endOfPlain(seq, lastSeqOf(found.header));
    this.#turn = "plain";
    this.#isPlainEnding = false;
    this.#plain.begin(position);
    if (endPosition !== undefined) this.#endPlain(endPosition);
  }

  /** Undefined: there is nothing for aggregates behind the batch with these records. */
  #endOfPlain(firstSeq: number, lastSeq: number): number | undefined {
    const { spool } = this.#parts;
    const foldedSeq = this.#nextFolded(firstSeq);
    if (foldedSeq === undefined || foldedSeq > spool.lastSeq) return undefined;
    // A batch that came back from the remote may have the change and what follows it: it goes as it is, whole.
    return spool.positionAfter(Math.max(foldedSeq - 1, lastSeq));
  }

  #nextFolded(seq: number): number | undefined {
    const { modes } = this.#parts;
    let next = modes.changeAfter(seq);
    while (next !== undefined && !this.#isFolded(next)) next = modes.changeAfter(next);
    return next;
  }

  #isFolded(seq: number): boolean {
    return this.#parts.modes.modeAt(seq) === "aggregated";
  }

  #endPlain(position: number): void {
    this.#isPlainEnding = true;
    this.#plain.endAt(position);
  }

  get #begun(): AggregateShipper {
    const { spool, link, clock, aggregate, isHurried, failed } = this.#parts;
    this.#aggregates ??= new AggregateShipper({
      ...{ spool, link, clock, policy: aggregate, isHurried, unread: this.#unread, failed },
      isFolded: (seq) => this.#isFolded(seq),
      reached: (position) => this.#goOn(position),
    });
    return this.#aggregates;
  }
}
