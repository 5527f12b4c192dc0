/**
 * When what has landed is synced, and what that makes durable: at once where somebody waits for it, otherwise after a
 * time that is in proportion to what a sync takes, or when it is much. One sync at a time; what is written while it runs is the next one's.
 *
 * Invariants: durableSeq <= written; after a failed sync nothing becomes durable any more.
 */
import { remoteSyncPatienceMsMin, remoteSyncRest } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { DirtyFiles } from "#src/journals/dirty-files.ts";
import type { Crowd } from "../crowd.ts";

export interface DurabilityParts {
  readonly clock: Clock;
  readonly dirty: DirtyFiles;
  /** Of all groups in which something waits to be synced. */
  readonly crowd: Crowd;
  readonly afterMs: number;
  readonly afterBytes: number;
  /** What a sync that begins now would make durable. */
  readonly writtenSeq: () => number;
  /** `durableSeq` has grown, or a sync is through. */
  readonly synced: () => void;
  readonly failed: (error: Error) => void;
}

export class Durability {
  readonly #parts: DurabilityParts;
  #durableSeq: number;
  #askedSeq = 0;
  #unsyncedBytes = 0;
  #syncingBytes = 0;
  #isSyncing = false;
  #lastSyncMs = 0;
  #isStopped = false;
  #timer: Timer | undefined;
  #atRest: (() => void)[] = [];

  constructor(parts: DurabilityParts, durableSeq: number) {
    this.#parts = parts;
    this.#durableSeq = durableSeq;
  }

  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** Landed and not durable. */
  get undurableBytes(): number {
    return this.#unsyncedBytes + this.#syncingBytes;
  }

  written(byteLength: number): void {
    this.#unsyncedBytes += byteLength;
    this.#step();
  }

  /** Somebody waits for what was written up to this seq, be it here already or not. */
  ask(seq: number): void {
    this.#askedSeq = Math.max(this.#askedSeq, seq);
    this.#step();
  }

  #step(): void {
    if (this.#isSyncing || this.#isStopped) return;
    if (this.#parts.writtenSeq() <= this.#durableSeq) {
      // Nothing but what was known already has come.
      this.#unsyncedBytes = 0;
      return;
    }
    const isDue = this.#askedSeq > this.#durableSeq || this.#unsyncedBytes >= this.#parts.afterBytes;
    if (isDue) this.#sync();
    else if (this.#timer === undefined) this.#wait();
  }

  #wait(): void {
    const { clock, crowd } = this.#parts;
    this.#timer = clock.timer(this.#patienceMs, () => this.#sync());
    crowd.entered();
  }

  #stopWaiting(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#parts.crowd.left();
  }

  /** A disk that syncs quickly is asked often, so that little is ever undurable; a slow one is given time between. */
  get #patienceMs(): number {
    const { afterMs, crowd } = this.#parts;
    return Math.min(afterMs, Math.max(remoteSyncPatienceMsMin * crowd.patience, this.#lastSyncMs * remoteSyncRest));
  }

  #sync(): void {
    this.#stopWaiting();
    const seq = this.#parts.writtenSeq();
    this.#isSyncing = true;
    const beganMs = this.#parts.clock.monotonicMs();
    this.#syncingBytes = this.#unsyncedBytes;
    this.#unsyncedBytes = 0;
    this.#parts.dirty.sync((error) => {
      this.#isSyncing = false;
      this.#lastSyncMs = this.#parts.clock.monotonicMs() - beganMs;
      if (error === null) this.#syncingBytes = 0;
      if (error === null && !this.#isStopped) this.#durableSeq = seq;
      const wasStopped = this.#isStopped;
      if (error !== null) this.#isStopped = true;
      for (const resolve of this.#atRest.splice(0)) resolve();
      if (error !== null) this.#parts.failed(error);
      else if (!wasStopped) this.#parts.synced();
      this.#step();
    });
  }

  /** Nothing is synced any more; resolves when no sync is under way. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopWaiting();
    return this.#rest();
  }

  /** Resolves when all that is written now is durable, or a sync has failed. */
  async settle(): Promise<void> {
    const seq = this.#parts.writtenSeq();
    this.ask(seq);
    while (!this.#isStopped && this.#durableSeq < seq) await this.#rest();
  }

  #rest(): Promise<void> {
    if (!this.#isSyncing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#atRest.push(resolve);
    });
  }
}
