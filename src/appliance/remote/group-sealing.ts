/**
 * Which closed segments of a group are sealed, and when: one after the other, the oldest first, each when all that it holds
 * is known to be durable and that is noted, so that no recovery looks for its files any more. When the store has it, they go.
 *
 * Invariants: files of a segment are removed only after the store said that it has it, and after a checkpoint at or behind
 * its last record; a segment is closed before it is handed over.
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

/** Where segments go when nothing is added to them any more. */
export interface Sealer {
  readonly blocks: SealedBlocks;
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
  readonly retryMs: number;
  /** What was there at the start waits so long, as long as it is little: nobody hurries to seal what a restart left. */
  readonly patienceMs: number;
  /** Up to where the journals are noted to be durable. */
  readonly checkpointSeq: () => number;
  readonly noteCheckpoint: () => Promise<void>;
  /** There is one less that waits. */
  readonly sealed: () => void;
}

interface ClosedSegment {
  readonly segment: number;
  readonly dueAtMs: number;
  /** No record behind it has payload there. */
  readonly lastSeq: number;
  readonly payloadBytes: number;
}

export class GroupSealing {
  readonly #parts: GroupSealingParts;
  /** The one closed first is first. */
  readonly #closed: ClosedSegment[] = [];
  #durableSeq = 0;
  #work: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isStopped = false;
  #sealedCount = 0;
  #removedBytes = 0;
  #failure: Error | undefined;

  constructor(parts: GroupSealingParts) {
    this.#parts = parts;
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

  /** Why the oldest one is not in the store yet. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Full, or old enough. */
  closed(segment: number, lastSeq: number, slotCount: number): void {
    this.#add(segment, lastSeq, slotCount, 0);
  }

  found(segment: number, lastSeq: number, slotCount: number): void {
    this.#add(segment, lastSeq, slotCount, this.#parts.patienceMs);
  }

  #add(segment: number, lastSeq: number, slotCount: number, patienceMs: number): void {
    const dueAtMs = this.#parts.clock.monotonicMs() + patienceMs;
    this.#closed.push({ segment, lastSeq, payloadBytes: slotCount * blockBytes, dueAtMs });
    this.#step();
  }

  durableUpTo(seq: number): void {
    this.#durableSeq = seq;
    this.#step();
  }

  #step(): void {
    if (this.#work !== undefined || this.#timer !== undefined || this.#isStopped) return;
    const next = this.#closed[0];
    if (next === undefined || next.lastSeq > this.#durableSeq) return;
    const earlyMs = next.dueAtMs - this.#parts.clock.monotonicMs();
    if (earlyMs > 0 && this.unsealedBytes < slotsPerSegment * blockBytes) return this.#later(earlyMs);
    this.#work = this.#seal(next).finally(() => {
      this.#work = undefined;
      this.#step();
    });
  }

  /** Never rejects. */
  async #seal(next: ClosedSegment): Promise<void> {
    const { group, folder, sealer, log } = this.#parts;
    const { segment } = next;
    try {
      await this.#noteDurable(next.lastSeq);
      await sealer.seal({ group, folder: folder.path, segment });
      await this.#removeFiles(segment);
      this.#closed.shift();
      this.#sealedCount++;
      this.#removedBytes += next.payloadBytes;
      this.#failure = undefined;
      this.#parts.sealed();
    } catch (error) {
      if (this.#isStopped) return;
      const isNews = this.#failure?.message !== (error as Error).message;
      this.#failure = error as Error;
      if (error instanceof RetryError) {
        if (isNews) log.warn("a segment waits to be sealed", { group, segment, error });
      } else {
        if (isNews) log.error("a segment cannot be sealed", { group, segment, error });
        // The others need not wait for it.
        this.#closed.push(...this.#closed.splice(0, 1));
      }
      this.#later(this.#parts.retryMs);
    }
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

  #later(delayMs: number): void {
    this.#timer = this.#parts.clock.timer(delayMs, () => {
      this.#timer = undefined;
      this.#step();
    });
  }

  /** Nothing is begun any more; resolves when what is under way is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#work;
  }
}
