/**
 * The memory that peers can make this program hold: one budget for all connections of a thread. Buffers up to 1 MiB
 * come in sizes of a power of two and are used again, since the first touch of fresh memory costs as much as copying
 * into it; larger ones are made to measure.
 *
 * Invariants: heldBytes = sum of the buffers given out; pooledBytes <= pooledBytesMax.
 */
import { assert } from "#src/core/assert.ts";
import { KiB, MiB, nbdBytesInFlightMax, nbdPooledBytesMax } from "#src/core/limits.ts";

const smallestClass = 12; // 4 KiB
const largestClass = 20; // 1 MiB

interface Waiter {
  readonly byteLength: number;
  readonly callback: () => void;
}

export class TransferMemory {
  readonly #free: Buffer[][] = [];
  readonly #soon: (callback: () => void) => void;
  readonly #waiting: Waiter[] = [];
  #heldBytes = 0;
  #pooledBytes = 0;

  /** `soon` is the clock's: whoever waited goes on in a turn of its own, never inside the one that gave. */
  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
    for (let sizeClass = 0; sizeClass <= largestClass; sizeClass++) this.#free.push([]);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Time to accept only small things: half the budget is gone. */
  get scarce(): boolean {
    return this.#heldBytes > nbdBytesInFlightMax / 2;
  }

  /** Whether a request that needs so much may begin. The largest request there is always may, if nothing else is held. */
  hasRoomFor(byteLength: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + byteLength <= nbdBytesInFlightMax;
  }

  take(byteLength: number): Buffer {
    const size = sizeOf(byteLength);
    this.#heldBytes += size;
    const pooled = this.#free[Math.log2(size)]?.pop();
    if (pooled === undefined) return Buffer.allocUnsafeSlow(size);
    this.#pooledBytes -= size;
    return pooled;
  }

  give(buffer: Buffer): void {
    this.#heldBytes -= buffer.length;
    assert(this.#heldBytes >= 0, "no more memory comes back than was given out");
    const pool = this.#free[Math.log2(buffer.length)];
    if (pool !== undefined && this.#pooledBytes + buffer.length <= nbdPooledBytesMax) {
      pool.push(buffer);
      this.#pooledBytes += buffer.length;
    }
    const first = this.#waiting[0];
    if (first !== undefined && this.hasRoomFor(first.byteLength)) {
      this.#waiting.shift();
      this.#soon(first.callback);
    }
  }

  /** Calls back once, on a later turn, when there may be room: first come, first served, so that large ones get theirs. */
  wait(byteLength: number, callback: () => void): void {
    if (this.#waiting.length === 0 && this.hasRoomFor(byteLength)) this.#soon(callback);
    else this.#waiting.push({ byteLength, callback });
  }
}

/** The least power of two, from 4 KiB on; above 1 MiB whole 64 KiB, so that a large transfer costs what it needs. */
function sizeOf(byteLength: number): number {
  if (byteLength > MiB) return Math.ceil(byteLength / (64 * KiB)) * 64 * KiB;
  return 2 ** Math.max(smallestClass, Math.ceil(Math.log2(Math.max(1, byteLength))));
}
