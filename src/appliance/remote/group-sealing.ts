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
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { ConfirmRequest } from "#src/journals/journal-confirmation.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { SealedHistory } from "#src/journals/journal-reader.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import type { SealedPart } from "#src/journals/sealed-journals.ts";
import type { KnownGroup } from "#src/journals/stored-group.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { SealPause } from "./seal-pause.ts";
import type { SealTurn } from "./seal-turn.ts";

/** A closed segment of a group's data journal. */
export interface SealRequest {
  readonly group: string;
  /** Of the group's journals. */
  readonly folder: string;
  readonly segment: number;
}

/** Where segments go when nothing is added to them any more, and after them the records that speak of them. */
export interface Sealer extends SealedHistory {
  /** Of all groups; 0: there is none. No number up to this one is ever given again. */
  readonly newestSegment: number;
  /** Up to which record the store alone gives everything back. */
  storedSeq(group: string): Promise<number>;
  /** Resolves with the same, which is then `lastSeq` or somewhat less. Rejects as `seal` does. */
  sealRecords(request: SealedPart): Promise<number>;
  /** Resolves with where the journal begins without these records, if the store has just them. Rejects as `seal` does. */
  confirmRecords(request: ConfirmRequest): Promise<JournalStart>;
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
  /** As it is now. */
  readonly known: () => KnownGroup;
  /** What the store has at the start. */
  readonly storedSeq: number;
  readonly retryMs: number;
  /** What was there at the start waits so long, as long as it is little: nobody hurries to seal what a restart left. */
  readonly patienceMs: number;
  /** Of all groups of the appliance. */
  readonly turn: SealTurn;
  /** Up to where the journals are noted to be durable. */
  readonly checkpointSeq: () => number;
  readonly noteCheckpoint: () => Promise<void>;
  /** The store has all up to there. Never rejects. */
  readonly recordsSealed: (storedSeq: number) => Promise<void>;
  /** There is one less that waits, or more is stored. */
  readonly sealed: () => void;
}

interface ClosedSegment {
  readonly segment: number;
  readonly dueAtMs: number;
  /** No record behind it has payload there. */
  readonly lastSeq: number;
  /** All payload of the records up to there is in this segment and those closed before it. */
  storableSeq: number;
  readonly payloadBytes: number;
  readonly pause: SealPause;
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
  /** Somebody waits for all up to there: neither hosts nor patience hold it up. */
  #hurriedSeq = 0;
  /** Records could not be sealed, and no segment has failed since. */
  #isSegmentsTurn = false;
  /** After a failure nothing is begun before it is over. */
  #pause: Timer | undefined;
  /** What is next is not due before it is over, unless more comes; or it is the turn of hosts. */
  #patience: Timer | undefined;
  /** What the turn counts of it. */
  #toldBytes = 0;
  #isStopped = false;
  #sealedCount = 0;
  #removedBytes = 0;
  #recordsFailure: Error | undefined;
  readonly #recordsPause = new SealPause();

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

  /** It waits for what does not pass by itself. */
  get needsPerson(): boolean {
    return this.#recordsPause.isForPerson || this.#closed.some(({ pause }) => pause.isForPerson);
  }

  /** Somebody waits for all up to there. Answers whether some of it lies in what is not closed yet. */
  hurry(seq: number): boolean {
    if (seq <= this.#storedSeq) return false;
    if (seq > this.#hurriedSeq) {
      this.#hurriedSeq = seq;
      this.#step();
    }
    return seq > (this.#inOrder.at(-1)?.storableSeq ?? this.#storableSeq);
  }

  /** Somebody has mended what stood in the way: everything is tried at once. */
  tryNow(): void {
    for (const { pause } of this.#closed) pause.end();
    this.#recordsPause.end();
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#step();
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
      pause: new SealPause(),
      isSealed: false,
      failure: undefined,
    };
    this.#closed.push(one);
    this.#inOrder.push(one);
    this.#tellTurn();
    this.#step();
  }

  /** No segment is open: all payload of the records up to there is in those that were closed. */
  nothingOpen(seq: number): void {
    const last = this.#inOrder.at(-1);
    // Records that came behind it without payload need not wait for the next one.
    if (last !== undefined) last.storableSeq = Math.max(last.storableSeq, seq);
    else this.#storableSeq = Math.max(this.#storableSeq, seq);
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
    const nowMs = this.#parts.clock.monotonicMs();
    const hasRecords = Math.min(this.#storableSeq, this.#durableSeq) > this.#storedSeq;
    const mayRecords = hasRecords && this.#recordsPause.notBeforeMs <= nowMs;
    const hostsMs = this.#isHurried ? 0 : this.#parts.turn.waitMs(nowMs);
    if (hostsMs > 0) {
      if (hasRecords || this.#closed.length > 0) this.#waitFor(hostsMs);
      return;
    }
    if (mayRecords && !this.#isSegmentsTurn) return this.#begin(() => this.#sealRecords());
    const next = this.#closed.find(({ pause }) => pause.notBeforeMs <= nowMs);
    if (next !== undefined && this.#isDue(next, nowMs)) return this.#begin(() => this.#seal(next));
    if (mayRecords) return this.#begin(() => this.#sealRecords());
    const times = this.#closed.map(({ pause, dueAtMs }) => Math.max(pause.notBeforeMs, dueAtMs));
    if (hasRecords) times.push(this.#recordsPause.notBeforeMs);
    const later = times.filter((timeMs) => timeMs > nowMs);
    if (later.length > 0) this.#waitFor(Math.min(...later) - nowMs);
  }

  #isDue({ lastSeq, dueAtMs }: ClosedSegment, nowMs: number): boolean {
    if (lastSeq > this.#durableSeq) return false;
    return dueAtMs <= nowMs || this.#isHurried || this.unsealedBytes >= slotsPerSegment * blockBytes;
  }

  get #isHurried(): boolean {
    return this.#storedSeq < this.#hurriedSeq;
  }

  /** `work` never rejects. */
  #begin(work: () => Promise<void>): void {
    this.#work = work().finally(() => {
      this.#work = undefined;
      this.#step();
    });
  }

  async #sealRecords(): Promise<void> {
    const { folder, incarnation, sealer, known } = this.#parts;
    const lastSeq = Math.min(this.#storableSeq, this.#durableSeq);
    try {
      await this.#noteDurable(lastSeq);
      const stored = { storedSeq: this.#storedSeq, lastSeq };
      const request = { folder: folder.path, incarnation, ...stored, known: known() };
      const storedSeq = await this.#unlessStopped(sealer.sealRecords(request));
      // An aggregate that goes on behind it is for the next time.
      if (storedSeq <= this.#storedSeq) this.#storableSeq = this.#storedSeq;
      this.#storedSeq = Math.max(this.#storedSeq, storedSeq);
      this.#isSegmentsTurn = false;
      this.#recordsFailure = undefined;
      this.#recordsPause.succeeded();
      this.#parts.sealed();
      await this.#unlessStopped(this.#parts.recordsSealed(this.#storedSeq));
    } catch (error) {
      // Their payload need not wait for them.
      this.#isSegmentsTurn = true;
      this.#failed(error as Error, this.#recordsFailure, "records", this.#recordsPause);
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
      this.#closed.splice(this.#closed.indexOf(next), 1);
      next.isSealed = true;
      this.#tellTurn();
      while (this.#inOrder[0]?.isSealed === true) {
        this.#storableSeq = Math.max(this.#storableSeq, this.#inOrder.shift()?.storableSeq ?? 0);
      }
      this.#sealedCount++;
      this.#removedBytes += next.payloadBytes;
      this.#parts.sealed();
    } catch (error) {
      this.#isSegmentsTurn = false;
      // The others need not wait for it.
      if (!(error instanceof RetryError)) this.#closed.push(...this.#closed.splice(this.#closed.indexOf(next), 1));
      this.#failed(error as Error, next.failure, `segment ${segment}`, next.pause);
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

  #failed(error: Error, before: Error | undefined, what: string, pause: SealPause): void {
    const { group, log, clock, retryMs } = this.#parts;
    raiseOwnFault(error, clock);
    if (this.#isStopped) return;
    pause.failed(error, clock.monotonicMs(), retryMs);
    const isNews = before?.message !== error.message;
    if (isNews && error instanceof RetryError) log.warn("what waits to be sealed", { group, what, error });
    else if (isNews) log.error("what cannot be sealed", { group, what, error });
    this.#pause = clock.timer(retryMs, () => {
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

  #tellTurn(): void {
    const waitingBytes = this.#isStopped ? 0 : this.unsealedBytes;
    this.#parts.turn.waits(waitingBytes - this.#toldBytes);
    this.#toldBytes = waitingBytes;
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
    this.#tellTurn();
  }
}
