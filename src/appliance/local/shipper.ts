/**
 * Sends batches to the remote, in their order, as the spool holds them. What was just appended is kept in the
 * memory it was made in until the link takes it, several batches at a time; what there was no memory for, and what was
 * appended while there was no link, is read back from the spool.
 *
 * Invariants: `#position` is where the next batch to be shipped begins; what lies before it was given to the link since
 * that came up, or the remote said that it has it. What is kept begins there and has no gaps. While `#isLive`, it goes
 * on to the end of the spool.
 */
import { assert } from "#src/core/assert.ts";
import {
  shipperFrameBatches,
  shipperFrameBytes,
  shipperGatherMs,
  shipperKeptBytesMax,
  shipperReadBytes,
  shipperReadsPerTurn,
} from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { BatchMemory } from "#src/wire/volume-link.ts";
import type { Crowd } from "../crowd.ts";
import type { Appended } from "./order.ts";
import type { Spool } from "./spool.ts";
import type { SpoolUnread } from "./spool-unread.ts";

/** Whole batches that lie behind each other in memory as they do in the spool. */
interface Kept {
  readonly memory: BatchMemory;
  readonly start: number;
  readonly position: number;
  byteLength: number;
}

export interface ShipperParts {
  readonly spool: Spool;
  readonly link: GroupLink;
  readonly clock: Clock;
  /** Of all groups that gather batches for a frame. */
  readonly crowd: Crowd;
  /** Whether memory of batches is so plenty that some may be kept until the link takes it. */
  readonly mayKeep: () => boolean;
  /** All before the position that it was to end at was shipped. */
  readonly reached: (position: number) => void;
  readonly unread: SpoolUnread;
}

export class Shipper {
  readonly #parts: ShipperParts;
  #position = 0;
  /** What begins there is shipped by somebody else. */
  #endPosition = Number.POSITIVE_INFINITY;
  #isActive = false;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #isLive = false;
  #keptLastSeq = 0;
  #isKeptAwaited = false;
  /** Up to here somebody waits for the remote's answer to what was shipped. */
  #answerDueSeq = 0;
  #receivedSeq = 0;
  /** The link holds these bytes until it says `mayShip`. */
  #lent: BatchMemory[] = [];
  #isBufferLent = false;
  #buffer: Buffer | undefined;
  #isPumpDue = false;
  #gatherTimer: Timer | undefined;

  constructor(parts: ShipperParts) {
    this.#parts = parts;
  }

  /** The link is up: everything behind this position is to be shipped. */
  begin(position: number): void {
    this.end();
    this.#position = position;
    this.#endPosition = Number.POSITIVE_INFINITY;
    this.#answerDueSeq = 0;
    this.#isActive = true;
    this.#pumpSoon();
  }

  /**
   * A batch of the spool begins there, and is not to be shipped, nor what is behind it: of these `appended` is not told.
   * Shortly after all before it has left, `reached` is called, and this is at its end.
   */
  endAt(position: number): void {
    this.#endPosition = position;
    this.#isLive = false;
    this.#shipKept();
  }

  /** The link holds nothing any more. */
  end(): void {
    this.#isActive = false;
    this.#isLive = false;
    this.#giveBack();
    if (this.#gatherTimer !== undefined) this.#endGathering();
    for (const { memory } of this.#kept) memory.release();
    this.#kept = [];
    this.#keptBytes = 0;
  }

  /**
   * A batch was appended to the spool. If somebody waits for the remote's answer it leaves at once, unless an answer is due
   * already; else a moment later, together with those that come until then: one call, and one wake-up at the other side,
   * for all of them.
   */
  appended(batch: Appended, isAwaited: boolean): void {
    if (!this.#isActive) return;
    if (!this.#isLive) return this.#pumpSoon();
    if (this.#keptBytes + batch.spanBytes > shipperKeptBytesMax || !this.#parts.mayKeep()) {
      this.#isLive = false;
      return;
    }
    const wasAwaited = this.#kept.length > 0 && this.#isKeptAwaited;
    this.#keep(batch);
    this.#keptLastSeq = batch.lastSeq;
    this.#isKeptAwaited = isAwaited || wasAwaited;
    if (isAwaited && this.#answerDueSeq <= this.#receivedSeq) this.#shipAwaited();
    else if (this.#keptBytes >= Math.min(shipperFrameBytes, shipperFrameBatches * batch.spanBytes)) this.#shipKept();
    else if (this.#gatherTimer === undefined) this.#gather(this.#isKeptAwaited);
    else if (isAwaited && !wasAwaited) {
      // What nobody waited for may gather for longer.
      this.#endGathering();
      this.#gather(true);
    }
  }

  /** The remote's answer. What somebody waits for, and was gathered meanwhile, leaves now. */
  received(seq: number): void {
    this.#receivedSeq = seq;
    if (this.#isKeptAwaited && this.#kept.length > 0 && seq >= this.#answerDueSeq) this.#shipAwaited();
  }

  #shipAwaited(): void {
    this.#answerDueSeq = this.#keptLastSeq;
    this.#shipKept();
    this.#parts.link.expectAnswer();
  }

  /** Writers wait for memory: what is kept can be read back from the spool. */
  letGo(): void {
    if (this.#kept.length === 0) return;
    this.#isLive = false;
    for (const { memory } of this.#kept) memory.release();
    this.#kept = [];
    this.#keptBytes = 0;
    this.#pumpSoon();
  }

  #keep({ memory, start, position, spanBytes: byteLength }: Appended): void {
    this.#keptBytes += byteLength;
    const last = this.#kept.at(-1);
    if (
      last !== undefined &&
      last.memory === memory &&
      last.start + last.byteLength === start &&
      last.position + last.byteLength === position &&
      last.byteLength + byteLength <= shipperFrameBytes
    ) {
      last.byteLength += byteLength;
      return;
    }
    memory.hold();
    this.#kept.push({ memory, start, position, byteLength });
  }

  #gather(isAwaited: boolean): void {
    const { clock, crowd } = this.#parts;
    this.#gatherTimer = clock.timer(shipperGatherMs * (isAwaited ? 1 : crowd.patience), () => {
      this.#endGathering();
      this.#shipKept();
    });
    crowd.entered();
  }

  #endGathering(): void {
    this.#gatherTimer?.cancel();
    this.#gatherTimer = undefined;
    this.#parts.crowd.left();
  }

  #shipKept(): void {
    const { link } = this.#parts;
    while (this.#isActive && !this.#isHeldUp && this.#kept.length > 0) {
      const count = this.#countOfNextFrame(link.mayShipBytes);
      if (count === 0) return;
      const pieces = this.#kept.splice(0, count);
      for (const { byteLength } of pieces) this.#keptBytes -= byteLength;
      const last = pieces[count - 1] as Kept;
      this.#position = last.position + last.byteLength;
      const isTaken = link.ship(
        pieces.map(({ memory, start, byteLength }) => memory.buffer.subarray(start, start + byteLength)),
      );
      if (isTaken) for (const { memory } of pieces) memory.release();
      else this.#lent = pieces.map(({ memory }) => memory);
    }
    if (this.#kept.length === 0) this.#pumpSoon();
  }

  /** How many of the first pieces leave together. */
  #countOfNextFrame(mayShipBytes: number): number {
    const roomBytes = Math.min(mayShipBytes, shipperFrameBytes);
    let byteLength = 0;
    for (const [index, piece] of this.#kept.entries()) {
      byteLength += piece.byteLength;
      if (byteLength > (index === 0 ? mayShipBytes : roomBytes)) return index;
    }
    return this.#kept.length;
  }

  mayShip(): void {
    this.#giveBack();
    this.#shipKept();
  }

  get #isHeldUp(): boolean {
    return this.#lent.length > 0 || this.#isBufferLent;
  }

  #giveBack(): void {
    this.#isBufferLent = false;
    const lent = this.#lent;
    this.#lent = [];
    for (const memory of lent) memory.release();
  }

  /** What the spool has besides waits for its turn: the writers of this moment come first. */
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isLive || !this.#isActive || this.#isHeldUp || this.#kept.length > 0) return;
    this.#isPumpDue = true;
    this.#parts.clock.soon(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#isPumpDue = false;
    try {
      this.#pump();
    } catch (error) {
      this.#isPumpDue = this.#parts.unread.isTriedAgain(error as Error, () => this.#takeTurn());
    }
  }

  /** What could not be read can be tried again: nothing has changed then. */
  #pump(): void {
    for (let reads = 0; reads < shipperReadsPerTurn; reads++) {
      if (!this.#isActive || this.#isHeldUp || this.#kept.length > 0) return;
      if (this.#position >= this.#endPosition) {
        this.end();
        this.#parts.reached(this.#endPosition);
        return;
      }
      if (this.#position >= this.#parts.spool.endPosition) {
        this.#isLive = true;
        return;
      }
      if (!this.#shipFromSpool()) return;
    }
    this.#pumpSoon();
  }

  #shipFromSpool(): boolean {
    const { spool, link } = this.#parts;
    this.#buffer ??= Buffer.allocUnsafeSlow(shipperReadBytes);
    const room = Math.min(this.#buffer.length, link.mayShipBytes, this.#endPosition - this.#position);
    let read = spool.read(this.#position, this.#buffer, Math.min(room, shipperFrameBytes));
    // A batch may be larger than a frame would otherwise be.
    if (read.nextPosition === this.#position) read = spool.read(this.#position, this.#buffer, room);
    if (read.nextPosition === this.#position) return false;
    assert(read.nextPosition > this.#position, "reading goes forward");
    this.#position = read.nextPosition;
    if (read.byteLength > 0) this.#isBufferLent = !link.ship([this.#buffer.subarray(0, read.byteLength)]);
    return true;
  }
}
