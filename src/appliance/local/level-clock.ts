/**
 * When which volumes' intervals end, by the local appliance's clock: at whole multiples of their levels since 1970, as whoever
 * folds them cuts them. Pure: fed with times and with how far the order is.
 *
 * Invariant: where nothing came since the last boundaries none is due, so that an order at rest stays at rest.
 */
import { everyWriteLevel } from "#src/records/level-record.ts";

interface LevelState {
  readonly seconds: number;
  /** The interval in which the last boundary was placed. */
  readonly interval: number;
  readonly hasNews: boolean;
}

export class LevelClock {
  readonly #volumes = new Map<number, LevelState>();
  /** Up to there nothing came but boundaries. */
  #seenSeq = 0;

  /** From now on the volume has this level. */
  set(volume: number, seconds: number, nowMicros: number): void {
    if (seconds === everyWriteLevel) this.#volumes.delete(volume);
    else this.#volumes.set(volume, { seconds, interval: intervalOf(nowMicros, seconds), hasNews: false });
  }

  forget(volume: number): void {
    this.#volumes.delete(volume);
  }

  get isIdle(): boolean {
    return this.#volumes.size === 0;
  }

  /** Of which volumes intervals have ended, with their levels. */
  due(nowMicros: number, lastSeq: number): { readonly volume: number; readonly seconds: number }[] {
    const isNew = lastSeq > this.#seenSeq;
    this.#seenSeq = lastSeq;
    const due: { readonly volume: number; readonly seconds: number }[] = [];
    for (const [volume, state] of this.#volumes) {
      const hasNews = state.hasNews || isNew;
      if (hasNews !== state.hasNews) this.#volumes.set(volume, { ...state, hasNews });
      if (hasNews && intervalOf(nowMicros, state.seconds) > state.interval)
        due.push({ volume, seconds: state.seconds });
    }
    return due;
  }

  /** A boundary was placed, as the order's last record. */
  placed(volume: number, nowMicros: number, seq: number): void {
    const state = this.#volumes.get(volume);
    this.#seenSeq = Math.max(this.#seenSeq, seq);
    if (state === undefined) return;
    this.#volumes.set(volume, { ...state, interval: intervalOf(nowMicros, state.seconds), hasNews: false });
  }
}

function intervalOf(micros: number, seconds: number): number {
  return Math.floor(micros / (seconds * 1e6));
}
