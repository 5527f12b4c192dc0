/** Counts what a link has carried, over all its connections. */
export interface TrafficFigures {
  /** Batches that were shipped, */
  readonly batchBytes: number;
  /** and what they came to on the wire. */
  readonly wireBytes: number;
}

export class LinkTraffic {
  #batchBytes = 0;
  #wireBytes = 0;

  add(batchBytes: number, wireBytes: number): void {
    this.#batchBytes += batchBytes;
    this.#wireBytes += wireBytes;
  }

  get figures(): TrafficFigures {
    return { batchBytes: this.#batchBytes, wireBytes: this.#wireBytes };
  }
}
