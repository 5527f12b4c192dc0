/**
 * The memory that peers can make this program hold: one budget for all connections of a thread, in one arena. The arena
 * is what keeps resident memory within bounds: memory given back to the collector of JavaScript is free only when that
 * gets to it, and its pages would cost a fault each at their next use.
 *
 * Invariant: heldBytes = sum of the buffers given out.
 */
import { assert } from "#src/core/assert.ts";
import {
  nbdBytesInFlightMax,
  nbdMemoryPageBytes,
  nbdSmallReserveBytes,
  nbdSmallRunBytes,
} from "#src/core/nbd-limits.ts";
import { PageRuns } from "./page-runs.ts";

interface Waiter {
  readonly byteLength: number;
  readonly callback: () => void;
}

export class TransferMemory {
  /** `soon` is the clock's: whoever waited goes on in a turn of its own, never inside the one that gave. */
  readonly #soon: (callback: () => void) => void;
  readonly #arena: Buffer = Buffer.allocUnsafeSlow(nbdBytesInFlightMax);
  readonly #runs = new PageRuns(nbdBytesInFlightMax / nbdMemoryPageBytes);
  readonly #waiting: Waiter[] = [];
  #heldBytes = 0;

  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Time to accept only small things: half the budget is gone. */
  get scarce(): boolean {
    return this.#heldBytes > nbdBytesInFlightMax / 2;
  }

  /**
   * Whether a request that needs so much may begin. The largest request there is always may, if nothing else is held.
   * A small one that finds its memory in pieces is better served than refused; a large one waits for a whole piece.
   */
  hasRoomFor(byteLength: number): boolean {
    const budget = nbdBytesInFlightMax - (byteLength > nbdSmallRunBytes ? nbdSmallReserveBytes : 0);
    if (this.#heldBytes + byteLength > budget) return this.#heldBytes === 0;
    return byteLength <= nbdSmallRunBytes || this.#runs.has(pagesOf(byteLength));
  }

  /** At least so many bytes, of any content. Never fails: whoever may wait asks `hasRoomFor` first. */
  take(byteLength: number): Buffer {
    const pages = pagesOf(byteLength);
    this.#heldBytes += pages * nbdMemoryPageBytes;
    const start = this.#runs.take(pages);
    if (start < 0) return Buffer.allocUnsafeSlow(pages * nbdMemoryPageBytes);
    return this.#arena.subarray(start * nbdMemoryPageBytes, (start + pages) * nbdMemoryPageBytes);
  }

  /** Takes back what `take` gave: the very buffer, not a part of it. */
  give(buffer: Buffer): void {
    this.#heldBytes -= buffer.length;
    assert(this.#heldBytes >= 0, "no more memory comes back than was given out");
    if (buffer.buffer === this.#arena.buffer) {
      this.#runs.give(
        (buffer.byteOffset - this.#arena.byteOffset) / nbdMemoryPageBytes,
        buffer.length / nbdMemoryPageBytes,
      );
    }
    this.#wakeFirst();
  }

  #wakeFirst(): void {
    const first = this.#waiting[0];
    if (first === undefined || !this.hasRoomFor(first.byteLength)) return;
    this.#waiting.shift();
    this.#soon(() => {
      first.callback();
      // It may have taken less than there is, or nothing since its connection is gone: nobody else would wake the next.
      this.#wakeFirst();
    });
  }

  /** Calls back once, on a later turn, when there may be room: first come, first served, so that large ones get theirs. */
  wait(byteLength: number, callback: () => void): void {
    this.#waiting.push({ byteLength, callback });
    if (this.#waiting.length === 1) this.#wakeFirst();
  }
}

function pagesOf(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / nbdMemoryPageBytes));
}
