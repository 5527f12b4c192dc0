/**
 * Which closed segments of a group are sealed, and when: one after the other, the oldest first, each when all that it holds
 * is known to be durable and that is noted, so that no recovery looks for its files any more. When the store has it, they go.
 *
 * Invariants: files of a segment are removed only after the store said that it has it, and after a checkpoint at or behind
 * its last record; a segment is closed before it is handed over; records are sealed only after all of their payload.
 */
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { SealedBlocks } from "#src/journals/journal-reader.ts";
import { slotsPerSegment } from "#src/records/address.ts";

/** A closed segment of a group's data journal. */
export interface SealRequest {
  readonly group: string;
  /** Of the group's journals. */
  readonly folder: string;
  readonly segment: number;
}

/** Records of a group that are durable, and all of whose payload is sealed. */
export interface RecordsRequest {
  readonly group: string;
  /** Of the group's journals. */
  readonly folder: string;
  /** Of its metadata journal. */
  readonly incarnation: number;
  readonly lastSeq: number;
}

/** Where segments go when nothing is added to them any more, and after them the records that speak of them. */
export interface Sealer {
  readonly blocks: SealedBlocks;
  /** Of all groups; 0: there is none. No number up to this one is ever given again. */
  readonly newestSegment: number;
  /** Up to which record the store alone gives everything back. */
  storedSeq(group: string): Promise<number>;
  /** Resolves with the same, which is then `lastSeq` or somewhat less. Rejects as `seal` does. */
  sealRecords(request: RecordsRequest): Promise<number>;
  /**
   * Resolves when the store has the segment, whole and durable, be it since long. Rejects with a `RetryError` where that may
   * work later, with another error where a person has to look.
   */
  seal(request: SealRequest): Promise<void>;
}

export interface GroupSealingParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly group: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly sealer: Sealer;
  readonly incarnation: number;
  /** What the store has at the start. */
  readonly storedSeq: number;
  readonly retryMs: number;
  /** What was there at the start waits so long, as long as it is little: nobody hurries to seal what a restart left. */
  readonly patienceMs: number;
  /** Up to where the journals are noted to be durable. */
  readonly checkpointSeq: () => number;
  readonly noteCheckpoint: () => Promise<void>;
  /** There is one less that waits, or more is stored. */
  readonly sealed: () => void;
}

interface ClosedSegment {
  readonly segment: number;
  readonly dueAtMs: number;
  /** No record behind it has payload there. */
  readonly lastSeq: number;
  /** All payload of the records up to there is in this segment and those closed before it. */
  readonly storableSeq: number;
  readonly payloadBytes: number;
  isSealed: boolean;
  failure: Error | undefined;
}

export class GroupSealing {
  readonly #parts: GroupSealingParts;
  /** The one closed first is first. */
  readonly #closed: ClosedSegment[] = [];
  /** As they were closed, up to the first that is not sealed. */
  readonly #inOrder: ClosedSegment[] = [];
  /** All payload of the records up to there is sealed. */
  #storableSeq = 0;
  #storedSeq: number;
  #durableSeq = 0;
  #work: Promise<void> | undefined;
  /** Ends the wait for the sealer. */
  #letGo: (() => void) | undefined;
  /** Records could not be sealed, and no segment has failed since. */
  #isSegmentsTurn = false;
  /** After a failure nothing is begun before it is over. */
  #pause: Timer | undefined;
  /** What is next is not due before it is over, unless more comes. */
  #patience: Timer | undefined;
  #isStopped = false;
  #sealedCount = 0;
  #removedBytes = 0;
  #recordsFailure: Error | undefined;

  constructor(parts: GroupSealingParts) {
    this.#parts = parts;
    this.#storedSeq = parts.storedSeq;
  }

  /** Up to there the store alone gives everything back. */
  get storedSeq(): number {
    return this.#storedSeq;
  }

  /** Closed and not in the store yet. */
  get unsealedBytes(): number {
    return this.#closed.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
  }

  /** Since the start. */
  get sealedCount(): number {
    return this.#sealedCount;
  }

  /** Payload that the journals had, and the store has instead, since the start. */
  get removedBytes(): number {
    return this.#removedBytes;
  }

  /** Why something is not in the store that was tried; of a segment, if there is one. */
  get failure(): Error | undefined {
    return this.#closed.find(({ failure }) => failure !== undefined)?.failure ?? this.#recordsFailure;
  }

  /** Full, or old enough. `storableSeq`: see `ClosedSegment`. */
  closed(segment: number, lastSeq: number, storableSeq: number, slotCount: number): void {
    this.#add(segment, lastSeq, storableSeq, slotCount, 0);
  }

  found(segment: number, lastSeq: number, storableSeq: number, slotCount: number): void {
    this.#add(segment, lastSeq, storableSeq, slotCount, this.#parts.patienceMs);
  }

  #add(segment: number, lastSeq: number, storableSeq: number, slotCount: number, patienceMs: number): void {
    const dueAtMs = this.#parts.clock.monotonicMs() + patienceMs;
    const payloadBytes = slotCount * blockBytes;
    const one: ClosedSegment = {
      segment,
      lastSeq,
      storableSeq,
      payloadBytes,
      dueAtMs,
      isSealed: false,
      failure: undefined,
    };
    this.#closed.push(one);
    this.#inOrder.push(one);
    this.#step();
  }

  /** No segment is open: all payload of the records up to there is in those that were closed. */
  nothingOpen(seq: number): void {
    if (this.#inOrder.length > 0) return;
    this.#storableSeq = Math.max(this.#storableSeq, seq);
    this.#step();
  }

  durableUpTo(seq: number): void {
    this.#durableSeq = seq;
    this.#step();
  }

  #step(): void {
    if (this.#work !== undefined || this.#pause !== undefined || this.#isStopped) return;
    this.#patience?.cancel();
    this.#patience = undefined;
    const hasRecords = Math.min(this.#storableSeq, this.#durableSeq) > this.#storedSeq;
    if (hasRecords && !this.#isSegmentsTurn) return this.#begin(() => this.#sealRecords());
    const next = this.#nextSegment();
    if (next !== undefined) this.#begin(() => this.#seal(next));
    else if (hasRecords) this.#begin(() => this.#sealRecords());
  }

  /** Undefined: there is none, or its time has not come. */
  #nextSegment(): ClosedSegment | undefined {
    const next = this.#closed[0];
    if (next === undefined || next.lastSeq > this.#durableSeq) return undefined;
    const earlyMs = next.dueAtMs - this.#parts.clock.monotonicMs();
    if (earlyMs <= 0 || this.unsealedBytes >= slotsPerSegment * blockBytes) return next;
    this.#waitFor(earlyMs);
    return undefined;
  }

  /** `work` never rejects. */
  #begin(work: () => Promise<void>): void {
    this.#work = work().finally(() => {
      this.#work = undefined;
      this.#step();
    });
  }

  async #sealRecords(): Promise<void> {
    const { group, folder, incarnation, sealer } = this.#parts;
    const lastSeq = Math.min(this.#storableSeq, this.#durableSeq);
    try {
      const request = { group, folder: folder.path, incarnation, lastSeq };
      const storedSeq = await this.#unlessStopped(sealer.sealRecords(request));
      // An aggregate that goes on behind it is for the next time.
      if (storedSeq <= this.#storedSeq) this.#storableSeq = this.#storedSeq;
      this.#storedSeq = Math.max(this.#storedSeq, storedSeq);
      this.#isSegmentsTurn = false;
      this.#recordsFailure = undefined;
      this.#parts.sealed();
    } catch (error) {
      // Their payload need not wait for them.
      this.#isSegmentsTurn = true;
      this.#failed(error as Error, this.#recordsFailure, "records");
      this.#recordsFailure = error as Error;
    }
  }

  async #seal(next: ClosedSegment): Promise<void> {
    const { group, folder, sealer } = this.#parts;
    const { segment } = next;
    try {
      await this.#noteDurable(next.lastSeq);
      await this.#unlessStopped(sealer.seal({ group, folder: folder.path, segment }));
      await this.#removeFiles(segment);
      this.#closed.shift();
      next.isSealed = true;
      while (this.#inOrder[0]?.isSealed === true) {
        this.#storableSeq = Math.max(this.#storableSeq, this.#inOrder.shift()?.storableSeq ?? 0);
      }
      this.#sealedCount++;
      this.#removedBytes += next.payloadBytes;
      this.#parts.sealed();
    } catch (error) {
      this.#isSegmentsTurn = false;
      // The others need not wait for it.
      if (!(error instanceof RetryError)) this.#closed.push(...this.#closed.splice(0, 1));
      this.#failed(error as Error, next.failure, `segment ${segment}`);
      next.failure = error as Error;
    }
  }

  /** The sealer may have much to do, or hang: nobody waits for him who is through with these journals. */
  #unlessStopped<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#letGo = () => reject(new RetryError("the journals were closed meanwhile"));
    if (this.#isStopped) this.#letGo();
    return Promise.race([work, promise]);
  }

  #failed(error: Error, before: Error | undefined, what: string): void {
    if (this.#isStopped) return;
    const { group, log } = this.#parts;
    const isNews = before?.message !== error.message;
    if (isNews && error instanceof RetryError) log.warn("what waits to be sealed", { group, what, error });
    else if (isNews) log.error("what cannot be sealed", { group, what, error });
    this.#pause = this.#parts.clock.timer(this.#parts.retryMs, () => {
      this.#pause = undefined;
      this.#step();
    });
  }

  async #noteDurable(seq: number): Promise<void> {
    if (this.#parts.checkpointSeq() < seq) await this.#parts.noteCheckpoint();
    if (this.#parts.checkpointSeq() < seq)
      throw new RetryError("it could not be noted how far the journals are durable");
  }

  async #removeFiles(segment: number): Promise<void> {
    const { files, folder } = this.#parts;
    for (const path of [folder.dataPath(segment), folder.sumsPath(segment)]) {
      if (files.exists(path)) files.remove(path);
    }
    await whenDone((done) => files.syncFolder(folder.segmentsPath, done));
  }

  #waitFor(delayMs: number): void {
    this.#patience = this.#parts.clock.timer(delayMs, () => {
      this.#patience = undefined;
      this.#step();
    });
  }

  /** Nothing is begun any more, and nothing is done here when this resolves. What the sealer does he goes on with. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#letGo?.();
    await this.#work;
  }
}
