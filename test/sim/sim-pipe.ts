/**
 * One direction of a simulated connection: what was taken from the sender travels in segments of any size and lies at
 * the receiver until it is read. The whole way holds a bounded number of bytes; a full one takes no more.
 *
 *     sender ──take──▶ [ travelling segments ] ──arrive──▶ [ arrived ] ──read──▶ receiver
 */
import { assert } from "#src/core/assert.ts";
import { BoundedQueue } from "#src/core/bounded-queue.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimLink } from "./sim-path.ts";

const segmentCountMax = 4096;

/** What a pipe tells the end that sends. */
export interface PipeSender {
  /** Bytes have left the pipe: it may be worth trying again. */
  hasRoom(): void;
  /** Bytes arrived where nobody takes them any more. */
  wasRefused(): void;
}

/** What a pipe tells the end that receives. */
export interface PipeReceiver {
  /** Bytes, or the end, can be read. */
  hasNews(): void;
  wasReset(): void;
}

export class SimPipe {
  readonly #link: SimLink;
  readonly #random: SeededRandom;
  readonly #sender: PipeSender;
  readonly #receiver: PipeReceiver;
  readonly #arrived: BoundedQueue<Buffer>;
  readonly #capacityBytes: number;
  #insideBytes = 0;
  #segmentCount = 0;
  /** Read already from the first segment that has arrived. */
  #readOfFirstBytes = 0;
  #endArrived = false;
  #vanishing = false;
  #closed = false;

  constructor(link: SimLink, random: SeededRandom, sender: PipeSender, receiver: PipeReceiver) {
    this.#link = link;
    this.#random = random;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#capacityBytes = random.pick(link.pipeCapacitiesBytes);
    // A segment counts whole until its last byte was read, and is never longer than the way is wide.
    this.#arrived = new BoundedQueue({ countMax: segmentCountMax, bytesMax: 2 * this.#capacityBytes });
  }

  /** Takes some bytes from the start of the range, as a system call does, and answers how many. */
  take(buffer: Buffer, start: number, end: number): number {
    const room = Math.min(end - start, this.#capacityBytes - this.#insideBytes);
    const wanted = room > 1 && this.#random.chance(0.1) ? this.#random.between(1, room) : room;
    let taken = 0;
    while (taken < wanted && this.#segmentCount < segmentCountMax) {
      const lengthBytes = this.#random.chance(0.5) ? wanted - taken : this.#random.between(1, wanted - taken);
      this.#travel(Buffer.from(buffer.subarray(start + taken, start + taken + lengthBytes)));
      taken += lengthBytes;
    }
    return taken;
  }

  /** The sender sends no more. */
  finish(): void {
    this.#link.carry(() => {
      if (this.#vanishing || this.#closed) return;
      this.#endArrived = true;
      this.#receiver.hasNews();
    });
  }

  /** The sender is gone, and says so rudely. */
  reset(): void {
    this.#link.carry(() => {
      if (!this.#vanishing) this.#receiver.wasReset();
    });
  }

  #travel(segment: Buffer): void {
    this.#insideBytes += segment.length;
    this.#segmentCount++;
    this.#link.carry(() => {
      if (this.#vanishing) return;
      if (this.#closed) {
        this.#leave(segment.length, 1);
        this.#sender.wasRefused();
        return;
      }
      const isTaken = this.#arrived.push(segment, segment.length);
      assert(isTaken, "what a pipe took fits where it arrives");
      this.#receiver.hasNews();
    });
  }

  get arrivedBytes(): number {
    return this.#arrived.bytes - this.#readOfFirstBytes;
  }

  /** All was read, and no more will come. */
  get isAtEnd(): boolean {
    return this.#endArrived && this.#arrived.count === 0;
  }

  /** Moves up to `byteCountMax` bytes to the start of `target`. */
  readInto(target: Buffer, byteCountMax: number): number {
    let count = 0;
    while (count < byteCountMax) {
      const segment = this.#arrived.peek();
      if (segment === undefined) break;
      const lengthBytes = Math.min(segment.length - this.#readOfFirstBytes, byteCountMax - count);
      segment.copy(target, count, this.#readOfFirstBytes, this.#readOfFirstBytes + lengthBytes);
      count += lengthBytes;
      this.#readOfFirstBytes += lengthBytes;
      if (this.#readOfFirstBytes < segment.length) break;
      this.#readOfFirstBytes = 0;
      this.#arrived.shift();
      this.#segmentCount--;
    }
    this.#leave(count, 0);
    return count;
  }

  #leave(byteLength: number, segmentCount: number): void {
    this.#insideBytes -= byteLength;
    this.#segmentCount -= segmentCount;
    this.#sender.hasRoom();
  }

  /** From now on nothing arrives, and nobody is told: the sender's bytes are taken until the way is full. */
  vanish(): void {
    this.#vanishing = true;
  }

  /** The receiver is gone. */
  close(): void {
    this.#closed = true;
  }
}
