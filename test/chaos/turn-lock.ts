/** One at a time, in the order in which they came. */
export class TurnLock {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is their turn, with what ends it. */
  async take(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}
