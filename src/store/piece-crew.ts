/**
 * Threads that read pieces for whoever has more to read at a time than one thread does: begun when they are first needed, and ended
 * when nobody has needed them for a while, so that who reads little has none.
 *
 * Invariants: there are `crewPieceCountMax` pieces at most; whoever took one gives it back; a piece is with one thread at a time.
 */
import { assert } from "#src/core/assert.ts";
import { crewIdleMs, crewPieceCountMax } from "#src/core/crew-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { PieceReader } from "./piece-reader.ts";
import { ReadPiece } from "./read-piece.ts";
import type { SegmentIdentity } from "./segment-format.ts";

/** A thread, mostly: `PieceThread` is one. */
export interface CrewMember extends PieceReader {
  /** The store has it now, or in this generation. */
  published(identity: SegmentIdentity): void;
  end(): void;
}

export interface PieceCrewParts {
  readonly clock: Clock;
  readonly memberCount: number;
  readonly start: (number: number) => CrewMember;
}

interface Busy {
  readonly member: CrewMember;
  pieceCount: number;
}

export class PieceCrew {
  readonly #parts: PieceCrewParts;
  #members: Busy[] = [];
  /** Not in use; as many again may be made as are missing to the bound. */
  #free: ReadPiece[] = [];
  #takenCount = 0;
  readonly #waiting: ((piece: ReadPiece) => void)[] = [];
  #idle: Timer | undefined;
  #isUsed = false;

  constructor(parts: PieceCrewParts) {
    this.#parts = parts;
  }

  get memberCount(): number {
    return this.#parts.memberCount;
  }

  /** Each of its threads has something to read, so that it would not help to share out more. */
  get isBusy(): boolean {
    return this.#members.length > 0 && this.#members.every(({ pieceCount }) => pieceCount > 0);
  }

  /** Whether its threads run. */
  get isRunning(): boolean {
    return this.#members.length > 0;
  }

  /** One that is empty. Where all are in use it is waited for one to come back. */
  take(): ReadPiece | Promise<ReadPiece> {
    if (this.#takenCount === crewPieceCountMax) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#takenCount++;
    return this.#free.pop() ?? new ReadPiece();
  }

  give(piece: ReadPiece): void {
    piece.count = 0;
    const next = this.#waiting.shift();
    if (next !== undefined) return next(piece);
    assert(this.#takenCount > 0, "what is given back was taken");
    this.#takenCount--;
    this.#free.push(piece);
  }

  /** By whoever has least to do. Rejects with a `RetryError` where its thread has ended: then others begin with the next piece. */
  async read(piece: ReadPiece): Promise<void> {
    this.#isUsed = true;
    if (this.#members.length === 0) this.#begin();
    const least = this.#members.reduce((one, other) => (other.pieceCount < one.pieceCount ? other : one));
    least.pieceCount++;
    try {
      await least.member.read(piece);
    } catch (error) {
      if (this.#members.includes(least)) this.#end();
      throw error;
    } finally {
      least.pieceCount--;
    }
  }

  #begin(): void {
    const { memberCount, start } = this.#parts;
    this.#members = Array.from({ length: memberCount }, (_, number) => ({ member: start(number), pieceCount: 0 }));
    this.#lookLater();
  }

  #lookLater(): void {
    this.#idle = this.#parts.clock.timer(crewIdleMs, () => {
      const isIdle = !this.#isUsed && this.#takenCount === 0;
      this.#isUsed = false;
      if (isIdle) this.#end();
      else this.#lookLater();
    });
  }

  published(identity: SegmentIdentity): void {
    for (const { member } of this.#members) member.published(identity);
  }

  #end(): void {
    this.#idle?.cancel();
    this.#idle = undefined;
    for (const { member } of this.#members) member.end();
    this.#members = [];
    this.#free = [];
  }

  /** What is under way rejects. */
  close(): void {
    this.#end();
  }
}
