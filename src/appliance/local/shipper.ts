/**
 * Sends a group's batches to the remote, in their order, as the spool holds them. A batch that was just appended leaves
 * from the memory it was made in, if all before it have left; everything else is read back from the spool.
 *
 * Invariants: `#position` is where the next batch to be shipped begins; what lies before it was given to the link since
 * that came up, or the remote said that it has it.
 */
import { assert } from "#src/core/assert.ts";
import { shipperReadBytes, shipperReadsPerTurn } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
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
    this.#giveBack();
    this.#position = position;
    this.#isActive = true;
    this.#pumpSoon();
  }

  end(): void {
    this.#isActive = false;
    this.#giveBack();
  }

  /** A batch was appended to the spool at `position`. */
  appended(memory: BatchMemory, start: number, spanBytes: number, position: number): void {
    if (!this.#isActive) return;
    if (this.#position !== position || this.#isHeldUp || this.#link.mayShipBytes < spanBytes) return this.#pumpSoon();
    this.#position += spanBytes;
    if (this.#link.ship(memory.buffer, start, start + spanBytes)) return;
    memory.hold();
    this.#lent = memory;
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
