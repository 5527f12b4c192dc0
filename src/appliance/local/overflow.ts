/**
 * When a spool that is full counts as overflowed, and when its volumes may come back. Writers were slowed long before;
 * now the choice is to let them wait for as long as it takes, or to let them go on unprotected for a while. Pure.
 *
 *     room ──▶ full ──(so long)──▶ overflowed ──(half of it has gone, not twice in a short time)──▶ room
 *               └───────▶ room
 *
 * What is in the spool stays there, and is shipped first. Volumes that may come back have time to before it counts as full
 * again: often only they can say that their sources need nothing of it any more.
 *
 * Where they came back and it got no emptier, something else keeps what is in it, such as a volume of the group that is fenced.
 * Each such return lets them stand still for a while and go away again, so after each the next one is twice as far away. That
 * ends when room came by itself, or when one asks to come whose source lacks what is in the spool.
 */
import { overflowComeBackMs } from "#src/core/limits.ts";

export interface OverflowPolicy {
  readonly overflow: "track" | "stall";
  readonly overflowAfterMs: number;
  readonly returnAfterMs: number;
}

export interface OverflowFacts {
  readonly nowMs: number;
  readonly isLinkUp: boolean;
  /** Its disk has no room for the next batch. */
  readonly isStuck: boolean;
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Of the spool, what the remote has not durably. */
  readonly undurableBytes: number;
}

/** Without a link nothing will leave it, and what is left is only used up ever more slowly. */
const fullWithoutLink = 0.95;
/** Of what it held when it overflowed. */
const returnShare = 0.5;
const returnAfterMsMax = 600_000;

export class Overflow {
  readonly #policy: OverflowPolicy;
  #fullSinceMs: number | undefined;
  #overflowedBytes: number | undefined;
  #returnedMs = Number.NEGATIVE_INFINITY;
  /** What the spool held when the volumes came back, as long as it has not held less since then. */
  #returnedBytes: number | undefined;
  /** How many times in a row they came back to a spool that got no emptier. */
  #vainReturns = 0;

  constructor(policy: OverflowPolicy) {
    this.#policy = policy;
  }

  get isOverflowed(): boolean {
    return this.#overflowedBytes !== undefined;
  }

  /**
   * At a start, which does not know of a link yet. `isStuck`: a largest batch would find no room. One that is found so was full
   * before; what has room for more has to stay as it is for so long.
   */
  begin(facts: OverflowFacts): void {
    const wasFull = isFull({ ...facts, isLinkUp: !facts.isStuck, isStuck: false });
    if (this.#policy.overflow === "track" && wasFull) this.#overflowedBytes = facts.usedBytes;
  }

  /** One comes whose source lacks what is in the spool: that it gets it is what makes room. */
  holderCame(): void {
    this.#vainReturns = 0;
  }

  /** Answers whether anything has changed. */
  look(facts: OverflowFacts): boolean {
    this.#lookAtRoom(facts);
    return this.isOverflowed ? this.#mayReturn(facts) : this.#hasOverflowed(facts);
  }

  #lookAtRoom({ usedBytes }: OverflowFacts): void {
    if (usedBytes < (this.#returnedBytes ?? 0)) this.#returnedBytes = undefined;
    if (usedBytes < (this.#overflowedBytes ?? 0)) this.#vainReturns = 0;
  }

  #hasOverflowed(facts: OverflowFacts): boolean {
    const { overflow, overflowAfterMs } = this.#policy;
    const earliestMs = Math.max(facts.nowMs, this.#returnedMs + overflowComeBackMs);
    this.#fullSinceMs = isFull(facts) ? (this.#fullSinceMs ?? earliestMs) : undefined;
    if (overflow === "stall" || this.#fullSinceMs === undefined) return false;
    if (facts.nowMs - this.#fullSinceMs < overflowAfterMs) return false;
    this.#overflowedBytes = facts.usedBytes;
    this.#vainReturns = this.#returnedBytes === undefined ? 0 : this.#vainReturns + 1;
    return true;
  }

  /** Room comes only when the volumes say what their sources have, so that there is none yet is no reason to wait. */
  #mayReturn({ nowMs, isLinkUp, usedBytes, undurableBytes }: OverflowFacts): boolean {
    if (!isLinkUp || nowMs - this.#returnedMs < this.#returnAfterMs) return false;
    if (undurableBytes >= (this.#overflowedBytes ?? 0) * returnShare) return false;
    this.#overflowedBytes = undefined;
    this.#fullSinceMs = undefined;
    this.#returnedMs = nowMs;
    this.#returnedBytes = usedBytes;
    return true;
  }

  get #returnAfterMs(): number {
    const { returnAfterMs } = this.#policy;
    return Math.max(returnAfterMs, Math.min(returnAfterMs * 2 ** this.#vainReturns, returnAfterMsMax));
  }
}

function isFull({ isLinkUp, isStuck, usedBytes, limitBytes }: OverflowFacts): boolean {
  return isStuck || usedBytes >= limitBytes * (isLinkUp ? 1 : fullWithoutLink);
}
