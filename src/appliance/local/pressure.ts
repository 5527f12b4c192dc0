/** How hard writers are slowed, kept up to date as things happen, and by the time alone while the remote is behind. */
import type { Clock, Timer } from "#src/host/clock.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { type Lag, lagOf, pressureOf } from "./lag.ts";
import { RecordAges } from "./record-ages.ts";
import type { Spool } from "./spool.ts";

export interface PressureParts {
  readonly spool: Spool;
  readonly policy: GroupPolicy;
  readonly clock: Clock;
  /** What the pressure depends on besides the spool. */
  readonly facts: () => { lastSeq: number; durableSeq: number; backlogBytes: number; backlogBytesMax: number };
  /** Called with each look while time passes; true: there must be another one, whatever the lag. */
  readonly looked: () => boolean;
  /** It was 1 or more, and is not any more. */
  readonly eased: () => void;
}

const lookEveryMs = 250;

export class Pressure {
  readonly #parts: PressureParts;
  readonly #ages: RecordAges;
  #lag: Lag = { records: 0, bytes: 0, seconds: 0 };
  #value = 0;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: PressureParts) {
    this.#parts = parts;
    this.#ages = new RecordAges(parts.clock, parts.spool.lastSeq);
  }

  get value(): number {
    return this.#value;
  }

  /** Half of the way to where nothing may be added: what can be done about it is due. */
  get isHigh(): boolean {
    return this.#value >= 0.5;
  }

  get lag(): Lag {
    return this.#lag;
  }

  evaluate(): void {
    const { spool, policy, facts, eased } = this.#parts;
    const wasFull = this.#value >= 1;
    const { lastSeq, durableSeq, backlogBytes, backlogBytesMax } = facts();
    this.#lag = lagOf(spool, this.#ages, lastSeq, durableSeq);
    const { usedBytes } = spool;
    this.#value = pressureOf({ usedBytes, lag: this.#lag, backlogBytes, backlogBytesMax }, policy);
    if (wasFull && this.#value < 1) eased();
  }

  added(firstSeq: number): void {
    this.#ages.added(firstSeq);
    this.watch();
  }

  /** There is something that the remote does not have. */
  watch(): void {
    if (this.#timer !== undefined || this.#isOver) return;
    this.#timer = this.#parts.clock.timer(lookEveryMs, () => {
      this.#timer = undefined;
      const mustGoOn = this.#parts.looked();
      this.evaluate();
      if (mustGoOn || this.#lag.records > 0 || this.#value >= 1) this.watch();
    });
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
