/**
 * Keeps changes of one range in order where some take their time in other threads. A client that lost its connection
 * comes back and writes again, while what it had asked for before may still be under way: the older must not land last.
 * Pure: it knows ranges and whose turn it is.
 *
 * Invariants: no two running turns overlap; a waiting turn overlaps a running one, or one that waits before it.
 */
import { rangesOverlap } from "#src/core/byte-range.ts";

export interface WriteTurn {
  readonly offset: number;
  readonly length: number;
  start(): void;
}

export class WriteOrder {
  readonly #running = new Set<WriteTurn>();
  #waiting: WriteTurn[] = [];

  /** Whether nothing that runs or waits touches the range. */
  isFree(offset: number, length: number): boolean {
    if (this.#running.size === 0) return true;
    const range = { offset, length };
    for (const turn of this.#running) if (overlap(turn, range)) return false;
    return !this.#waiting.some((turn) => overlap(turn, range));
  }

  /** Starts the turn now, and says so, or later when what it overlaps has left. */
  enter(turn: WriteTurn): boolean {
    if (!this.isFree(turn.offset, turn.length)) {
      this.#waiting.push(turn);
      return false;
    }
    this.#running.add(turn);
    turn.start();
    return true;
  }

  /** The turn has ended: others may have theirs. */
  leave(turn: WriteTurn): void {
    this.#running.delete(turn);
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    // In their order: each either starts, or waits again behind those before it.
    for (const next of waiting) this.enter(next);
  }
}

function overlap(one: { offset: number; length: number }, other: { offset: number; length: number }): boolean {
  return rangesOverlap(one.offset, one.length, other.offset, other.length);
}
