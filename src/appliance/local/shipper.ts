/**
 * Sends a group's batches to the remote, in their order, as the spool holds them. Batches that were just appended leave
 * from the memory they were made in, several at a time, if all before them have left; everything else is read back from
 * the spool.
 *
 * Invariants: `#position` is where the next batch to be shipped begins; what lies before it was given to the link since
 * that came up, or the remote said that it has it. What is gathered begins there.
 */
import { assert } from "#src/core/assert.ts";
import { shipperGatherBytes, shipperGatherMs, shipperReadBytes, shipperReadsPerTurn } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { BatchMemory } from "#src/wire/volume-link.ts";
import type { Spool } from "./spool.ts";

export class Shipper {
  readonly #spool: Spool;
  readonly #link: GroupLink;
  readonly #clock: Clock;
  readonly #failed: (error: Error) => void;
  #position = 0;
  #isActive = false;
  /** The link holds these bytes until it says `mayShip`. */
  #lent: BatchMemory | undefined;
  #isBufferLent = false;
  #buffer: Buffer | undefined;
  #isPumpDue = false;
  /** Appended and not shipped yet. */
  #gathered: BatchMemory | undefined;
  #gatheredStart = 0;
  #gatheredEnd = 0;
  #gatherTimer: Timer | undefined;

  /** `failed`: the spool could not be read back. */
  constructor(spool: Spool, link: GroupLink, clock: Clock, failed: (error: Error) => void) {
    this.#spool = spool;
    this.#link = link;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Where the first byte lies that was not shipped. */
  get position(): number {
    return this.#position;
  }

  /** The link is up: everything behind this position is to be shipped. */
  begin(position: number): void {
    this.#forget();
    this.#position = position;
    this.#isActive = true;
    this.#pumpSoon();
  }

  end(): void {
    this.#isActive = false;
    this.#forget();
  }

  #forget(): void {
    this.#giveBack();
    this.#gatherTimer?.cancel();
    this.#gatherTimer = undefined;
    this.#gathered?.release();
    this.#gathered = undefined;
  }

  /**
   * A batch was appended to the spool at `position`. If somebody waits for the remote it leaves at once; else a moment
   * later, together with those that come until then: one call, and one wake-up at the other side, for all of them.
   */
  appended(memory: BatchMemory, start: number, spanBytes: number, position: number, isAwaited: boolean): void {
    if (!this.#isActive) return;
    if (!this.#gather(memory, start, spanBytes, position)) {
      this.#shipGathered();
      if (!this.#gather(memory, start, spanBytes, position)) return this.#pumpSoon();
    }
    if (isAwaited || this.#gatheredEnd - this.#gatheredStart >= shipperGatherBytes) this.#shipGathered();
    else this.#gatherTimer ??= this.#clock.timer(shipperGatherMs, () => this.#gatheredLongEnough());
  }

  #gatheredLongEnough(): void {
    this.#gatherTimer = undefined;
    this.#shipGathered();
    this.#pumpSoon();
  }

  /** Batches lie in memory as they do in the spool, so neighbours in both leave together. */
  #gather(memory: BatchMemory, start: number, spanBytes: number, position: number): boolean {
    if (this.#gathered === undefined) {
      if (this.#position !== position || this.#isHeldUp) return false;
      memory.hold();
      this.#gathered = memory;
      this.#gatheredStart = start;
    } else {
      const isNext = this.#position + this.#gatheredEnd - this.#gatheredStart === position;
      if (!isNext || this.#gathered !== memory || this.#gatheredEnd !== start) return false;
    }
    this.#gatheredEnd = start + spanBytes;
    return true;
  }

  #shipGathered(): void {
    const memory = this.#gathered;
    if (memory === undefined) return;
    this.#gathered = undefined;
    const byteLength = this.#gatheredEnd - this.#gatheredStart;
    if (!this.#isActive || this.#isHeldUp || this.#link.mayShipBytes < byteLength) return memory.release();
    this.#position += byteLength;
    if (this.#link.ship(memory.buffer, this.#gatheredStart, this.#gatheredEnd)) memory.release();
    else this.#lent = memory;
  }

  mayShip(): void {
    this.#giveBack();
    this.#pumpSoon();
  }

  get #isHeldUp(): boolean {
    return this.#lent !== undefined || this.#isBufferLent;
  }

  #giveBack(): void {
    this.#isBufferLent = false;
    const lent = this.#lent;
    this.#lent = undefined;
    lent?.release();
  }

  /** What the spool has besides waits for its turn: the writers of this moment come first. */
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isHeldUp || this.#position >= this.#spool.endPosition) return;
    this.#isPumpDue = true;
    this.#clock.soon(() => {
      this.#isPumpDue = false;
      try {
        this.#shipGathered();
        this.#pump();
      } catch (error) {
        this.#failed(error as Error);
      }
    });
  }

  #pump(): void {
    for (let reads = 0; reads < shipperReadsPerTurn; reads++) {
      if (!this.#isActive || this.#isHeldUp || this.#position >= this.#spool.endPosition) return;
      this.#buffer ??= Buffer.allocUnsafeSlow(shipperReadBytes);
      const room = Math.min(this.#buffer.length, this.#link.mayShipBytes);
      const read = this.#spool.read(this.#position, this.#buffer, room);
      if (read.byteLength === 0 && read.nextPosition === this.#position) return;
      assert(read.nextPosition > this.#position, "reading goes forward");
      this.#position = read.nextPosition;
      if (read.byteLength > 0) this.#isBufferLent = !this.#link.ship(this.#buffer, 0, read.byteLength);
    }
    this.#pumpSoon();
  }
}
