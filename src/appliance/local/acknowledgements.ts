/**
 * What was appended and is not acknowledged yet, in the order of the group. An acknowledgement speaks for everything
 * before it, so one that needs nothing more still waits for those ahead of it.
 *
 * Invariants: the seqs in the queue grow; the head is not satisfied.
 */
import { assert } from "#src/core/assert.ts";

export interface Acknowledged {
  acknowledged(ordinal: number): void;
}

interface Waiting {
  readonly lastSeq: number;
  /** Acknowledged when the remote has received it. */
  needsRemote: boolean;
  readonly volumes: readonly { readonly to: Acknowledged; readonly ordinal: number }[];
}

interface Waiter {
  readonly lastSeq: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Acknowledgements {
  readonly #queue: Waiting[] = [];
  #waiters: Waiter[] = [];
  #isSettling = false;
  #receivedSeq = 0;
  #lastSeq = 0;

  get waitingCount(): number {
    return this.#queue.length;
  }

  /** True: nothing waits, so what needs nothing itself is acknowledged by the caller at once. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  add(lastSeq: number, needsRemote: boolean, volumes: Waiting["volumes"]): void {
    assert(lastSeq > this.#lastSeq, "what is appended later comes later in the order");
    this.#lastSeq = lastSeq;
    this.#queue.push({ lastSeq, needsRemote, volumes });
    this.#settle();
  }

  /** Resolves when all that was added so far is acknowledged. */
  allAcknowledged(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ lastSeq: this.#lastSeq, resolve, reject });
    });
  }

  /** Nothing is acknowledged any more. */
  end(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  received(seq: number): void {
    this.#receivedSeq = seq;
    this.#settle();
  }

  /** The mode that made them wait is over, and the remote is out of reach: what waits is as good as the spool makes it. */
  releaseAll(): void {
    for (const waiting of this.#queue) waiting.needsRemote = false;
    this.#settle();
  }

  /** Whoever is told may add more: that is settled by the loop that runs already, so that nobody is told out of order. */
  #settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (head.needsRemote && head.lastSeq > this.#receivedSeq) break;
      this.#queue.shift();
      for (const { to, ordinal } of head.volumes) to.acknowledged(ordinal);
    }
    this.#isSettling = false;
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    const head = this.#queue[0];
    const isWaiting = ({ lastSeq }: Waiter): boolean => head !== undefined && head.lastSeq <= lastSeq;
    for (const waiter of this.#waiters) if (!isWaiting(waiter)) waiter.resolve();
    this.#waiters = this.#waiters.filter(isWaiting);
  }
}
