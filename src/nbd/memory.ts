/**
 * The memory that peers can make this program hold: one budget for all connections of a thread, in one arena. The arena
 * is what keeps resident memory within bounds: memory given back to the collector of JavaScript is free only when that
 * gets to it, and its pages would cost a fault each at their next use.
 *
 * Each export has a share of it, as large as what it leaves for others: an export that answers nobody, since its disk is full
 * or stands still, comes to half of the budget, the next such one to half of the rest, and so on. So others go on. While none has
 * a connection but one, it may use nearly all: its peers would wait for one another only.
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

/** What the connections of one export hold, and wait for. */
export class MemoryShare {
  readonly #memory: TransferMemory;
  readonly #waiting: Waiter[] = [];
  /** What has come already, and waits for its request to begin: it must not keep that from it. */
  readonly #beside = new Set<Buffer>();
  #heldBytes = 0;
  #peerCount = 0;

  constructor(memory: TransferMemory) {
    this.#memory = memory;
  }

  /** A connection of the export has begun. */
  join(): void {
    if (this.#peerCount++ === 0) this.#memory.begin();
  }

  /** It has ended. What it holds may come back later. */
  leave(): void {
    assert(this.#peerCount > 0, "no more connections end than began");
    if (--this.#peerCount === 0) this.#memory.end();
  }

  /** Of requests and replies. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Of what waits for memory, the first. */
  get nextWaiting(): Waiter | undefined {
    return this.#waiting[0];
  }

  hasRoomFor(byteLength: number): boolean {
    return this.#memory.hasRoomFor(byteLength, this.#heldBytes);
  }

  /** For a request, at least so many bytes, of any content. Never fails: whoever may wait asks `hasRoomFor` first. */
  take(byteLength: number): Buffer {
    const buffer = this.#memory.take(byteLength, true);
    this.#heldBytes += buffer.length;
    return buffer;
  }

  /** For replies that their peer does not take. */
  takeForReplies(byteLength: number): Buffer {
    const buffer = this.#memory.take(byteLength, false);
    this.#heldBytes += buffer.length;
    return buffer;
  }

  /** For what came behind a request that may not begin yet. */
  takeBeside(byteLength: number): Buffer {
    const buffer = this.#memory.take(byteLength, false);
    this.#beside.add(buffer);
    return buffer;
  }

  /** Takes back what was given out: the very buffer, not a part of it. */
  give(buffer: Buffer): void {
    if (!this.#beside.delete(buffer)) this.#heldBytes -= buffer.length;
    assert(this.#heldBytes >= 0, "no more memory comes back to a share than it gave out");
    this.#memory.give(buffer);
  }

  /** Calls back once, on a later turn, when there may be room: first come, first served, so that large ones get theirs. */
  wait(byteLength: number, callback: () => void): void {
    this.#waiting.push({ byteLength, callback });
    if (this.#waiting.length === 1) this.#memory.waits(this);
  }

  takeWaiting(): Waiter | undefined {
    return this.#waiting.shift();
  }
}

export class TransferMemory {
  /** `soon` is the clock's: whoever waited goes on in a turn of its own, never inside the one that gave. */
  readonly #soon: (callback: () => void) => void;
  readonly #arena: Buffer = Buffer.allocUnsafeSlow(nbdBytesInFlightMax);
  readonly #runs = new PageRuns(nbdBytesInFlightMax / nbdMemoryPageBytes);
  /** Those of which something waits; whose turn was longest ago comes first. */
  readonly #waiting = new Set<MemoryShare>();
  #heldBytes = 0;
  /** Of exports that have connections. */
  #shareCount = 0;
  /** A large request of an export that had nothing under way, and found no room beside what others hold. */
  #beyond: Buffer | undefined;

  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
  }

  get heldBytes(): number {
    return this.#heldBytes + (this.#beyond?.length ?? 0);
  }

  /** A share is in use. */
  begin(): void {
    this.#shareCount++;
  }

  end(): void {
    this.#shareCount--;
    this.#wakeNext();
  }

  /** Time to accept only small things: half the budget is gone. */
  get scarce(): boolean {
    return this.#heldBytes > nbdBytesInFlightMax / 2;
  }

  /**
   * Whether a request that needs so much may begin, of a share that holds `ownBytes`. The largest request there is
   * always may, if no other of its share is under way; one at a time may do so beyond the budget. A small one that finds its memory in
   * pieces is better served than refused; a large one waits for a whole piece.
   */
  hasRoomFor(byteLength: number, ownBytes: number): boolean {
    const isLarge = byteLength > nbdSmallRunBytes;
    const budget = nbdBytesInFlightMax - (isLarge ? nbdSmallReserveBytes : 0);
    const leftBytes = budget - this.#heldBytes - byteLength;
    const fits = leftBytes >= 0 && (!isLarge || this.#runs.has(pagesOf(byteLength)));
    if (ownBytes === 0) return fits || (isLarge && this.#beyond === undefined);
    const isAlone = this.#shareCount <= 1 && leftBytes >= nbdSmallReserveBytes;
    return fits && (isAlone || ownBytes + byteLength <= leftBytes);
  }

  take(byteLength: number, isRequest: boolean): Buffer {
    const pages = pagesOf(byteLength);
    const start = this.#runs.take(pages);
    const bytes = pages * nbdMemoryPageBytes;
    if (start >= 0) {
      this.#heldBytes += bytes;
      return this.#arena.subarray(start * nbdMemoryPageBytes, start * nbdMemoryPageBytes + bytes);
    }
    const buffer = Buffer.allocUnsafeSlow(bytes);
    if (isRequest && byteLength > nbdSmallRunBytes && this.#beyond === undefined) this.#beyond = buffer;
    else this.#heldBytes += bytes;
    return buffer;
  }

  give(buffer: Buffer): void {
    if (buffer === this.#beyond) this.#beyond = undefined;
    else this.#heldBytes -= buffer.length;
    assert(this.#heldBytes >= 0, "no more memory comes back than was given out");
    if (buffer.buffer === this.#arena.buffer) {
      this.#runs.give(
        (buffer.byteOffset - this.#arena.byteOffset) / nbdMemoryPageBytes,
        buffer.length / nbdMemoryPageBytes,
      );
    }
    this.#wakeNext();
  }

  waits(share: MemoryShare): void {
    this.#waiting.add(share);
    this.#wakeNext();
  }

  /** The first of a share that has room, whatever the others wait for: what one of them lacks may never come back. */
  #wakeNext(): void {
    for (const share of this.#waiting) {
      if (share.nextWaiting !== undefined && !share.hasRoomFor(share.nextWaiting.byteLength)) continue;
      const waiter = share.takeWaiting();
      this.#waiting.delete(share);
      if (share.nextWaiting !== undefined) this.#waiting.add(share);
      this.#soon(() => {
        waiter?.callback();
        // It may have taken less than there is, or nothing since its connection is gone: nobody else would wake the next.
        this.#wakeNext();
      });
      return;
    }
  }
}

function pagesOf(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / nbdMemoryPageBytes));
}
