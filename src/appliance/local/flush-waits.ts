/**
 * Flushes that wait for what they cover to be durable: in the spool, and where the mode was sync when they came, at the
 * remote as well. Pure.
 */
import type { FlushDone } from "#src/wire/volume-link.ts";

interface Wait {
  readonly seq: number;
  needsRemote: boolean;
  readonly done: FlushDone;
}

export class FlushWaits {
  #waits: Wait[] = [];
  #spoolSeq = 0;
  #remoteSeq = 0;

  /** The highest seq that somebody waits for the remote to have durably; 0: nobody does. */
  get remoteSeqWanted(): number {
    let wanted = 0;
    for (const wait of this.#waits) if (wait.needsRemote) wanted = Math.max(wanted, wait.seq);
    return wanted;
  }

  add(seq: number, needsRemote: boolean, done: FlushDone): void {
    this.#waits.push({ seq, needsRemote, done });
    this.#settle();
  }

  spoolDurable(seq: number): void {
    this.#spoolSeq = seq;
    this.#settle();
  }

  remoteDurable(seq: number): void {
    this.#remoteSeq = seq;
    this.#settle();
  }

  /** Sync was left, and the remote is out of reach. */
  releaseRemote(): void {
    for (const wait of this.#waits) wait.needsRemote = false;
    this.#settle();
  }

  failAll(error: Error): void {
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) wait.done(error);
  }

  #settle(): void {
    const isDone = (wait: Wait): boolean =>
      wait.seq <= this.#spoolSeq && (!wait.needsRemote || wait.seq <= this.#remoteSeq);
    if (!this.#waits.some(isDone)) return;
    const done = this.#waits.filter(isDone);
    this.#waits = this.#waits.filter((wait) => !isDone(wait));
    for (const wait of done) wait.done(null, wait.needsRemote);
  }
}
