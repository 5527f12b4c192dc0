/** Whether a volume goes on without its appliance, and how often it has begun to: what is written then the source alone has. */
import type { SimHost } from "#test/sim/sim-host.ts";

export class Protection {
  readonly #isLostNow: () => boolean;
  #lossCount = 0;

  constructor(name: string, host: SimHost, isLostNow: () => boolean) {
    this.#isLostNow = isLostNow;
    host.logListeners.push((line) => {
      if (line.endsWith(`goes on without the local appliance volume=${name}`)) this.#lossCount++;
    });
  }

  get isLost(): boolean {
    return this.#isLostNow();
  }

  /** Answers whether it was lost at any time from now on. */
  lostSince(): () => boolean {
    const [wasLost, count] = [this.isLost, this.#lossCount];
    return () => wasLost || this.isLost || this.#lossCount > count;
  }
}
