/**
 * Ships what was added under the mode aggregated: gathers batches into aggregates and sends these, one after the other;
 * what cannot be in an aggregate is sent as it is, between two of them. Only heads are looked at for that, in memory when
 * they were just made, in the spool where the link is behind; payload is read when an aggregate leaves.
 *
 *     spool   | a b c d e f | m | g h i j k l …        m: a mark, say
 *     sent    | a..f as one | m | g..
 *               outgoing          gathered
 *
 * Invariants: what lies before `#position` was gathered or sent; at most one aggregate is outgoing, and nothing else is
 * sent before it is through; none is sent before the spool has all of it durably. While `#isLive`, `#position` is the
 * end of the spool.
 */
import { assert } from "#src/core/assert.ts";
import { aggregateGatherBatches, batchBytesMax } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { batchSpanBytes } from "#src/records/batch.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import { AggregateGatherer, type AggregatePolicy, type Offered } from "./aggregate-gatherer.ts";
import { AggregateSender } from "./aggregate-sender.ts";
import { type BatchHeads, headsInMemory } from "./batch-heads.ts";
import type { Fold } from "./fold.ts";
import type { Appended } from "./order.ts";
import type { Spool } from "./spool.ts";
import type { SpoolUnread } from "./spool-unread.ts";

export interface AggregateShipperParts {
  readonly spool: Spool;
  readonly link: GroupLink;
  readonly clock: Clock;
  readonly policy: AggregatePolicy;
  /** Whether the record with this seq was added under the mode aggregated. */
  readonly isFolded: (seq: number) => boolean;
  /** Whether nothing is to be waited for: what there is, is cut as soon as the aggregate before is through. */
  readonly isHurried: () => boolean;
  /** All before `position` was shipped; what begins there is not for aggregates. */
  readonly reached: (position: number) => void;
  readonly unread: SpoolUnread;
  /** The spool could not be synced. */
  readonly failed: (error: Error) => void;
}

/** What was shipped since the start; what had to be sent again counts again. */
export interface AggregateFigures {
  readonly aggregates: number;
  /** Payload that was overwritten, and so never sent. */
  readonly foldedBytes: number;
}

export const noAggregates: AggregateFigures = { aggregates: 0, foldedBytes: 0 };

/** Why the batch at `#position` is not gathered: its aggregate is full, it is plain, or of another mode. */
type Obstacle = "full" | "plain" | "end";

export class AggregateShipper {
  readonly #parts: AggregateShipperParts;
  readonly #gatherer: AggregateGatherer;
  #position = 0;
  #receivedSeq = 0;
  /** An aggregate has left for the remote, whole or in part, of which it has said nothing yet. */
  #isOnTrial = false;
  #isActive = false;
  #isLive = false;
  #obstacle: Obstacle | undefined;
  /** What the batch at `#position` takes in the spool. */
  #obstacleBytes = 0;
  /** Is sent, or waits for the spool to be durable. */
  #outgoing: Fold | undefined;
  #sender: AggregateSender | undefined;
  /** For parts, and for batches that are sent as they are. */
  #buffer: Buffer | undefined;
  /** The link needs a batch in the buffer until it says `mayShip`. */
  #isBufferLent = false;
  #isTurnDue = false;
  #timer: Timer | undefined;
  /** Each `begin` and `end` begins another one. */
  #life = 0;
  #figures = noAggregates;

  constructor(parts: AggregateShipperParts) {
    this.#parts = parts;
    this.#gatherer = new AggregateGatherer(parts.policy);
  }

  get figures(): AggregateFigures {
    return this.#figures;
  }

  /** Everything behind this position is to be shipped; the remote has all records up to `receivedSeq`. */
  begin(position: number, receivedSeq: number): void {
    this.end();
    this.#isActive = true;
    this.#position = position;
    if (this.#isOnTrial) this.#gatherer.linkEnded(receivedSeq > this.#receivedSeq);
    this.#isOnTrial = false;
    this.#receivedSeq = receivedSeq;
    this.#turnSoon();
  }

  /** The link holds nothing any more. */
  end(): void {
    this.#life++;
    this.#isActive = false;
    this.#isLive = false;
    this.#obstacle = undefined;
    this.#outgoing = undefined;
    this.#sender = undefined;
    this.#isBufferLent = false;
    this.#gatherer.clear();
    this.#cancelTimer();
  }

  /** A batch was appended to the spool. */
  appended(batch: Appended): void {
    if (!this.#isActive || this.#obstacle !== undefined) return;
    if (!this.#isLive) return this.#turnSoon();
    const { memory, start, position, spanBytes } = batch;
    const isTaken = this.#gather(headsInMemory(memory.buffer, start, position));
    this.#position = isTaken ? position + spanBytes : position;
    this.#isLive = isTaken;
    if (this.#outgoing !== undefined) return;
    if (this.#isCutDue) this.#turnSoon();
    else this.#setTimer();
  }

  mayShip(): void {
    this.#isBufferLent = false;
    this.#sender?.mayShip();
    this.#turnSoon();
  }

  /** `isHurried` may have changed. */
  hurry(): void {
    this.#turnSoon();
  }

  // Gathering

  /** False: there is an obstacle now. */
  #gather(heads: BatchHeads): boolean {
    const { isFolded, spool } = this.#parts;
    const { firstSeq, position } = heads.header;
    const offered = isFolded(firstSeq) ? this.#offer(heads) : "end";
    if (offered === "unsound") throw spool.damageAt(position, `the records from ${firstSeq} on do not add up`);
    this.#obstacle = offered === "taken" ? undefined : offered;
    this.#obstacleBytes = batchSpanBytes(heads.header);
    return this.#obstacle === undefined;
  }

  /** A batch of which the remote has a part can be sent again, but not within an aggregate. */
  #offer(heads: BatchHeads): Offered {
    if (heads.header.firstSeq <= this.#receivedSeq) return "plain";
    return this.#gatherer.offer(heads, this.#parts.clock.monotonicMs());
  }

  /** Answers whether there was anything. */
  #gatherFromSpool(): boolean {
    if (this.#isLive || this.#obstacle !== undefined) return false;
    for (let count = 0; count < aggregateGatherBatches; count++) {
      const found = this.#parts.spool.headsAt(this.#position);
      this.#isLive = found === undefined;
      if (found === undefined) return count > 0;
      this.#position = found.position;
      if (!this.#gather(found)) break;
      this.#position = found.nextPosition;
      if (this.#outgoing === undefined && this.#isCutDue) break;
    }
    return true;
  }

  get #isCutDue(): boolean {
    const { clock, isHurried } = this.#parts;
    if (this.#obstacle !== undefined || this.#gatherer.isDue(clock.monotonicMs())) return true;
    // A backlog is sooner through with when all of it is folded.
    return this.#isLive && isHurried();
  }

  // Sending

  #turnSoon(): void {
    if (this.#isTurnDue || !this.#isActive) return;
    this.#isTurnDue = true;
    this.#parts.clock.soon(() => this.#takeTurn());
  }

  /** What could not be read may be damaged: unless it is tried again, nothing more is sent before the link is up anew. */
  #takeTurn(): void {
    this.#isTurnDue = false;
    try {
      this.#turn();
    } catch (error) {
      this.#isTurnDue = this.#parts.unread.isTriedAgain(error as Error, () => this.#takeTurn());
      if (!this.#isTurnDue) this.end();
    }
  }

  /** A little of each, and then the writers of the moment come first. */
  #turn(): void {
    if (!this.#isActive) return;
    const hasGathered = this.#gatherFromSpool();
    const hasSent = this.#send();
    if (hasGathered || hasSent) this.#turnSoon();
    else this.#setTimer();
  }

  /** False: there is nothing that can be done about it now. */
  #send(): boolean {
    if (this.#isBufferLent) return false;
    if (this.#outgoing !== undefined) return this.#sendOutgoing(this.#outgoing);
    if (!this.#gatherer.isEmpty) return this.#isCutDue && this.#cut();
    if (this.#obstacle === "plain") return this.#sendPlain();
    assert(this.#obstacle !== "full", "an empty aggregate has room for any batch");
    if (this.#obstacle === "end") this.#endHere();
    return false;
  }

  #cut(): true {
    const fold = this.#gatherer.cut();
    this.#outgoing = fold;
    this.#cancelTimer();
    if (this.#obstacle === "full") this.#obstacle = undefined;
    if (this.#parts.spool.durableSeq >= fold.lastSeq) this.#beginSending(fold);
    else this.#syncFirst(fold);
    return true;
  }

  /** What the remote has as one must never be more than what the spool still has after a loss of power. */
  #syncFirst(fold: Fold): void {
    const life = this.#life;
    this.#parts.spool.sync((error) => {
      if (life !== this.#life) return;
      if (error !== null) {
        this.end();
        return this.#parts.failed(error);
      }
      this.#beginSending(fold);
      this.#turnSoon();
    });
  }

  #beginSending(fold: Fold): void {
    const { spool, link, clock } = this.#parts;
    this.#isOnTrial = true;
    assert(spool.durableSeq >= fold.lastSeq, "an aggregate leaves only when the spool has all of it durably");
    this.#sender = new AggregateSender({ spool, link, clock, fold, buffer: this.#ownBuffer });
  }

  get #ownBuffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(batchBytesMax);
    return this.#buffer;
  }

  #sendOutgoing(fold: Fold): boolean {
    const sender = this.#sender;
    if (sender === undefined || !sender.isDone) return sender?.sendOn() ?? false;
    this.#outgoing = undefined;
    this.#sender = undefined;
    const { bytes } = fold.figures;
    this.#figures = {
      aggregates: this.#figures.aggregates + 1,
      foldedBytes: this.#figures.foldedBytes + bytes - fold.payloadBytes,
    };
    return true;
  }

  /** One batch, as the spool has it. */
  #sendPlain(): boolean {
    const { spool, link } = this.#parts;
    if (link.mayShipBytes < this.#obstacleBytes) return false;
    const buffer = this.#ownBuffer;
    const { byteLength, nextPosition } = spool.read(this.#position, buffer, this.#obstacleBytes);
    this.#position = nextPosition;
    this.#obstacle = undefined;
    this.#isBufferLent = !link.ship([buffer.subarray(0, byteLength)]);
    return true;
  }

  #endHere(): void {
    const position = this.#position;
    this.end();
    this.#isOnTrial = false;
    this.#parts.reached(position);
  }

  #setTimer(): void {
    const { clock } = this.#parts;
    const delayMs = this.#gatherer.dueAtMs - clock.monotonicMs();
    // What is due already waits for the link, or for the aggregate before it.
    const isLater = !this.#gatherer.isEmpty && delayMs > 0;
    if (this.#timer !== undefined || this.#outgoing !== undefined || !isLater) return;
    this.#timer = clock.timer(delayMs, () => {
      this.#timer = undefined;
      this.#turnSoon();
    });
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
