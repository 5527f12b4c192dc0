/** Idle moments are for writing ahead in the spool. */
import type { Clock } from "#src/host/clock.ts";
import type { Order } from "./order.ts";
import type { Spool } from "./spool.ts";

export class IdlePreparation {
  readonly #order: Order;
  readonly #spool: Spool;
  readonly #clock: Clock;
  #lookedAtSeq = 0;
  #isOver = false;

  constructor(order: Order, spool: Spool, clock: Clock) {
    this.#order = order;
    this.#spool = spool;
    this.#clock = clock;
  }

  /** Nothing was added since the last look: that is idle. */
  look(): void {
    const { lastSeq } = this.#order;
    if (this.#lookedAtSeq === lastSeq) this.#soon();
    this.#lookedAtSeq = lastSeq;
  }

  #soon(): void {
    this.#clock.soon(() => {
      const isIdle = !this.#isOver && this.#lookedAtSeq === this.#order.lastSeq;
      if (isIdle && this.#spool.prepare()) this.#soon();
    });
  }

  end(): void {
    this.#isOver = true;
  }
}
