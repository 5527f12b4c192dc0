/** Counts what a link has carried, over all its connections. */
export interface TrafficFigures {
  /** Batches that were shipped, */
  readonly batchBytes: number;
  /** and what they came to on the wire. */
  readonly wireBytes: number;
  /** In so many frames. */
  readonly frames: number;
}

export class LinkTraffic {
  #batchBytes = 0;
  #wireBytes = 0;
  #frames = 0;

  /** One frame. */
  add(batchBytes: number, wireBytes: number): void {
    this.#batchBytes += batchBytes;
    this.#wireBytes += wireBytes;
    this.#frames++;
  }

  get figures(): TrafficFigures {
    return { batchBytes: this.#batchBytes, wireBytes: this.#wireBytes, frames: this.#frames };
  }
}
