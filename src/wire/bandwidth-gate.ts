/**
 * Keeps all links of an appliance to one limit of what is sent in a time. Who finds the gate shut is told when it is his
 * turn: in the order in which they came, one after the other.
 */
import { bandwidthLookMs } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { type BandwidthPolicy, bandwidthAt, TokenBucket } from "./bandwidth.ts";

/** The same one for each time that somebody asks. */
export type Waiter = () => void;

export class BandwidthGate {
  #policy: BandwidthPolicy;
  readonly #clock: Clock;
  readonly #minuteOfDay: (wallMs: number) => number;
  readonly #bucket: TokenBucket;
  readonly #waiters = new Set<Waiter>();
  #timer: Timer | undefined;

  constructor(policy: BandwidthPolicy, clock: Clock, minuteOfDay: (wallMs: number) => number) {
    this.#policy = policy;
    this.#clock = clock;
    this.#minuteOfDay = minuteOfDay;
    this.#bucket = new TokenBucket(clock.monotonicMs());
  }

  /** From now on; who waits is looked after at the next look. */
  setPolicy(policy: BandwidthPolicy): void {
    this.#policy = policy;
  }

  /** Nothing is counted, nor the clock looked at, where nothing is limited. */
  get #isOpen(): boolean {
    return this.#policy.bytesPerSecond === Number.POSITIVE_INFINITY && this.#policy.hours.length === 0;
  }

  /** Whether something may be sent now. If not, `waiter` is called once it may. */
  mayPass(waiter: Waiter): boolean {
    if (this.#isOpen || this.#waitMs === 0) return true;
    this.#waiters.add(waiter);
    this.#setTimer();
    return false;
  }

  sent(byteLength: number): void {
    if (this.#isOpen) return;
    this.#bucket.take(byteLength);
  }

  /** Is not to be called any more. */
  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  get #waitMs(): number {
    return this.#bucket.waitMs(this.#clock.monotonicMs(), this.#bytesPerSecond);
  }

  get #bytesPerSecond(): number {
    return bandwidthAt(this.#policy, this.#minuteOfDay(this.#clock.wallMs()));
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#waiters.size === 0) return;
    // Looked at again before it is time: at another hour there may be another limit.
    this.#timer = this.#clock.timer(Math.min(Math.max(1, this.#waitMs), bandwidthLookMs), () => {
      this.#timer = undefined;
      this.#wake();
    });
  }

  #wake(): void {
    // Those who ask again meanwhile stand behind those who wait already.
    const waiters = [...this.#waiters];
    for (const waiter of waiters) {
      if (this.#waitMs > 0) break;
      if (this.#waiters.delete(waiter)) waiter();
    }
    this.#setTimer();
  }
}
