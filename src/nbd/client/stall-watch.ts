/**
 * Notices a server that went silent. It looks at all requests under way a few times per time-out, which costs the hot
 * path nothing but a zero written whenever a request moves:
 *
 *   moved  look  look  look  look  look          the first look may come right after the move, the fifth at least
 *     |--~--|-----|-----|-----|-----|            four spans after it: one time-out, and at most a fourth more
 *
 * A request whose bytes have not all been taken moves as long as anything is taken: the link is slow, not dead.
 */
import type { Clock, Timer } from "#src/host/clock.ts";
import type { RequestTable, Slot } from "./request-table.ts";
import type { RequestWriter } from "./request-writer.ts";

const looksPerTimeout = 4;

export class StallWatch {
  readonly #clock: Clock;
  readonly #spanMs: number;
  readonly #table: RequestTable;
  readonly #writer: RequestWriter;
  readonly #stalled: (slot: Slot) => void;
  #timer: Timer | undefined;
  #takenBytes = 0;

  constructor(
    clock: Clock,
    timeoutMs: number,
    table: RequestTable,
    writer: RequestWriter,
    stalled: (slot: Slot) => void,
  ) {
    this.#clock = clock;
    this.#spanMs = timeoutMs / looksPerTimeout;
    this.#table = table;
    this.#writer = writer;
    this.#stalled = stalled;
  }

  /** Requests are under way. */
  start(): void {
    if (this.#timer === undefined) this.#timer = this.#clock.timer(this.#spanMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#table.count === 0) return;
    const takenBefore = this.#takenBytes;
    this.#takenBytes = this.#writer.takenBytes;
    const isMoving = this.#takenBytes > takenBefore;
    for (const slot of this.#table.busy()) {
      const hasMoved = isMoving && slot.sentEnd > takenBefore;
      slot.idleLooks = hasMoved ? 1 : slot.idleLooks + 1;
      if (slot.idleLooks > looksPerTimeout) {
        this.#stalled(slot);
        return;
      }
    }
    this.start();
  }
}
