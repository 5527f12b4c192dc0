/**
 * Gathers batches into the aggregate to come, and says when that is to be cut. Pure: fed with batches in their order and
 * the time.
 *
 * An aggregate that is due waits for the one before it to leave, and meanwhile takes in what comes, up to the limits of an
 * aggregate: the less a link can take, the more is folded for it.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { aggregateBytesMin, blockBytes } from "#src/core/limits.ts";
import { type BatchHeads, foldHeads, surveyHeads } from "./batch-heads.ts";
import { Fold } from "./fold.ts";

/** What an operator may choose. */
export interface AggregatePolicy {
  /** An aggregate is cut so long after the first record in it, */
  readonly everyMs: number;
  /** or when it has so much payload. */
  readonly bytesMax: number;
}

/**
 * `taken`: it is in. `full`: the aggregate must be cut first. `plain`: it cannot be in any. `unsound`: what it says does not
 * add up.
 */
export type Offered = "taken" | "full" | "plain" | "unsound";

export class AggregateGatherer {
  readonly #policy: AggregatePolicy;
  #fold = new Fold();
  /** Of the aggregate before, used again. */
  #spare = new Fold();
  #firstAtMs = 0;
  /** Less than the policy's where links have not lasted for more. */
  #bytesMax: number;

  constructor(policy: AggregatePolicy) {
    this.#policy = policy;
    this.#bytesMax = policy.bytesMax;
  }

  /** Whether anything has arrived by a link on which aggregates were sent: of one that it does not last for, nothing has. */
  linkEnded(hasBrought: boolean): void {
    const bytesMax = hasBrought ? this.#bytesMax * 2 : Math.max(aggregateBytesMin, this.#bytesMax / 2);
    this.#bytesMax = Math.min(this.#policy.bytesMax, bytesMax);
  }

  get isEmpty(): boolean {
    return this.#fold.isEmpty;
  }

  offer(batch: BatchHeads, nowMs: number): Offered {
    const survey = surveyHeads(batch);
    if (survey.kind !== "foldable") return survey.kind;
    const { epoch, payloadBytes } = batch.header;
    const isOfOther = !this.isEmpty && epoch !== this.#fold.epoch;
    const blockCount = divFloor(payloadBytes, blockBytes);
    if (isOfOther || !this.#fold.hasRoomFor(blockCount, survey.rangeCount)) return "full";
    if (this.isEmpty) this.#firstAtMs = nowMs;
    foldHeads(this.#fold, batch);
    return "taken";
  }

  /** When it is due by time alone; infinity while there is nothing in it. */
  get dueAtMs(): number {
    return this.isEmpty ? Number.POSITIVE_INFINITY : this.#firstAtMs + this.#policy.everyMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.dueAtMs || this.#fold.payloadBytes >= this.#bytesMax;
  }

  /** The aggregate, to be kept until the next one is cut; what is offered from now on goes into that. */
  cut(): Fold {
    assert(!this.isEmpty, "an aggregate stands for one record or more");
    const fold = this.#fold;
    this.#fold = this.#spare;
    this.#fold.clear();
    this.#spare = fold;
    return fold;
  }

  clear(): void {
    this.#fold.clear();
  }
}
