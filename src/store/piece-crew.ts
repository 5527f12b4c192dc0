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
  /** It reads nothing any more. */
  readonly hasEnded: boolean;
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

  /**
   * By whoever has least to do. Rejects as he does, with a `RetryError` where his thread has ended: another one takes its place with the
   * next piece. What others read goes on.
   */
  async read(piece: ReadPiece): Promise<void> {
    this.#isUsed = true;
    if (this.#members.length === 0) this.#begin();
    else this.#replaceEnded();
    const least = this.#members.reduce((one, other) => (other.pieceCount < one.pieceCount ? other : one));
    least.pieceCount++;
    try {
      await least.member.read(piece);
    } finally {
      least.pieceCount--;
    }
  }

  #begin(): void {
    this.#members = Array.from({ length: this.#parts.memberCount }, (_, number) => this.#begun(number));
    this.#lookLater();
  }

  #begun(number: number): Busy {
    return { member: this.#parts.start(number), pieceCount: 0 };
  }

  #replaceEnded(): void {
    for (const [number, { member }] of this.#members.entries()) {
      if (member.hasEnded) this.#members[number] = this.#begun(number);
    }
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
