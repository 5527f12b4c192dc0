/**
 * Tells a process that keeps the store and hangs from one that has much to do. It says every few seconds that it lives, and
 * how many steps it has done; what takes long without a step, such as the index's larger changes, is not to be taken for
 * ever: so who has ended one for nothing waits twice as long with the next. Pure.
 */
import { keeperPatienceMs, keeperPatienceMsMax, keeperSilenceMs } from "#src/core/store-limits.ts";

export class KeeperWatch {
  #heardAtMs = 0;
  #steppedAtMs = 0;
  #steps = 0;
  #patienceMs = keeperPatienceMs;

  /** A new one, or one that had nothing to do, is asked for something. */
  began(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#steppedAtMs = nowMs;
  }

  beat(nowMs: number, steps: number): void {
    this.#heardAtMs = nowMs;
    if (steps !== this.#steps) this.#steppedAtMs = nowMs;
    this.#steps = steps;
  }

  /** Something that was asked for is done. */
  answered(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#steppedAtMs = nowMs;
    this.#patienceMs = keeperPatienceMs;
  }

  /** It was ended since it hung. */
  ended(): void {
    this.#patienceMs = Math.min(2 * this.#patienceMs, keeperPatienceMsMax);
  }

  /** In words, of one that owes an answer. Undefined: nothing. */
  trouble(nowMs: number): string | undefined {
    const silentMs = nowMs - this.#heardAtMs;
    if (silentMs >= keeperSilenceMs) {
      return `the process that keeps the store has not answered for ${seconds(silentMs)}: it may be held up by a disk`;
    }
    const stuckMs = nowMs - this.#steppedAtMs;
    if (stuckMs < keeperSilenceMs) return undefined;
    return `the process that keeps the store has got nowhere for ${seconds(stuckMs)}, although something waits`;
  }

  shouldEnd(nowMs: number): boolean {
    return nowMs - Math.min(this.#heardAtMs, this.#steppedAtMs) >= this.#patienceMs;
  }
}

function seconds(durationMs: number): string {
  return `${Math.floor(durationMs / 1000)} s`;
}
