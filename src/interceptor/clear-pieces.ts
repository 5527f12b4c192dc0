/**
 * Clears that may be long, of a source that takes its time for them: piece by piece, a few at a time over all clears, which take
 * turns. So each piece is answered soon, also where the source writes the zeros, and what else is asked of it is not kept waiting.
 */
import type { DoneCallback } from "#src/host/block-device.ts";

export interface ClearPiecesParts {
  readonly pieceBytes: number;
  readonly countMax: number;
  /** Never calls back before it has returned. */
  readonly begin: (position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback) => void;
}

interface Clear {
  /** Of what was not begun. */
  position: number;
  leftBytes: number;
  readonly keepSpace: boolean;
  readonly done: DoneCallback;
  underWayCount: number;
  failure: Error | undefined;
}

export class ClearPieces {
  readonly #parts: ClearPiecesParts;
  /** They have something left to be begun, in the order of their turns. */
  #waiting: Clear[] = [];
  #underWayCount = 0;
  #end: Error | undefined;

  constructor(parts: ClearPiecesParts) {
    this.#parts = parts;
  }

  clear(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void {
    if (this.#end !== undefined) return done(this.#end);
    this.#waiting.push({ position, leftBytes: lengthBytes, keepSpace, done, underWayCount: 0, failure: undefined });
    this.#advance();
  }

  #advance(): void {
    while (this.#underWayCount < this.#parts.countMax) {
      const clear = this.#waiting.shift();
      if (clear === undefined) return;
      this.#beginPiece(clear);
    }
  }

  #beginPiece(clear: Clear): void {
    const { position, keepSpace } = clear;
    const lengthBytes = Math.min(clear.leftBytes, this.#parts.pieceBytes);
    clear.position += lengthBytes;
    clear.leftBytes -= lengthBytes;
    clear.underWayCount++;
    this.#underWayCount++;
    if (clear.leftBytes > 0) this.#waiting.push(clear);
    this.#parts.begin(position, lengthBytes, keepSpace, (error) => this.#ended(clear, error));
  }

  #ended(clear: Clear, error: Error | null): void {
    clear.underWayCount--;
    this.#underWayCount--;
    if (error !== null) {
      clear.failure ??= error;
      clear.leftBytes = 0;
      this.#waiting = this.#waiting.filter((other) => other !== clear);
    }
    if (clear.leftBytes === 0 && clear.underWayCount === 0) clear.done(clear.failure ?? null);
    this.#advance();
  }

  /** No piece is begun any more: clears end with this error, after what is under way of them. */
  end(error: Error): void {
    this.#end ??= error;
    for (const clear of this.#waiting.splice(0)) {
      clear.failure ??= error;
      clear.leftBytes = 0;
      if (clear.underWayCount === 0) clear.done(clear.failure);
    }
  }
}
