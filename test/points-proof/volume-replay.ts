/** The volume as it must be at a seq: what the host asked, applied in the order that it was given. Cheapest from seq to later seq. */
import type { HostLog } from "./host-log.ts";
import type { ToldOrder } from "./told-order.ts";

export class VolumeReplay {
  readonly #log: HostLog;
  readonly #order: ToldOrder;
  readonly #image: Buffer;
  #applied = 0;

  constructor(log: HostLog, order: ToldOrder, sizeBytes: number) {
    this.#log = log;
    this.#order = order;
    this.#image = Buffer.alloc(sizeBytes);
  }

  /** Good until the next call. */
  at(seq: number): Buffer {
    const wanted = this.#order.countUpTo(seq);
    if (wanted < this.#applied) {
      this.#image.fill(0);
      this.#applied = 0;
    }
    for (; this.#applied < wanted; this.#applied++) {
      const piece = this.#order.pieces[this.#applied];
      if (piece !== undefined) this.#log.apply(piece, this.#image);
    }
    return this.#image;
  }
}
