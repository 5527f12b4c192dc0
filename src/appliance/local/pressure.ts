/** How hard writers are slowed, kept up to date as things happen, and by the time alone while the remote is behind. */
import { unseenShareMax } from "#src/core/lag-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { type Lag, lagOf, pressureOf } from "./lag.ts";
import { LagAllowance } from "./lag-allowance.ts";
import { RecordAges } from "./record-ages.ts";
import type { Spool } from "./spool.ts";

export interface PressureFacts {
  readonly lastSeq: number;
  readonly durableSeq: number;
  readonly backlogBytes: number;
  readonly backlogBytesMax: number;
  readonly isLinkUp: boolean;
  /** Nobody waits for the remote, and what is drained is what was added. */
  readonly isAsync: boolean;
}

export interface PressureParts {
  readonly spool: Spool;
  readonly policy: GroupPolicy;
  readonly clock: Clock;
  /** What the pressure depends on besides the spool. */
  readonly facts: () => PressureFacts;
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
  /** Of the lag's time, in async; the other modes go by the age alone, since they do not fill a link with what is young. */
  #allowance: LagAllowance | undefined;
  #value = 0;
  /** Somebody may wait for that to be told. */
  #wasFull = false;
  /** Up to here nothing that is added needs to be looked at. */
  #seenToBytes: number;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: PressureParts) {
    this.#parts = parts;
    this.#ages = new RecordAges(parts.clock, parts.spool.lastSeq);
    this.#seenToBytes = parts.spool.endPosition;
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
    this.#look();
    if (!this.#wasFull || this.#value >= 1) return;
    this.#wasFull = false;
    this.#parts.eased();
  }

  #look(): void {
    const { spool, policy, facts } = this.#parts;
    const now = facts();
    this.#lag = lagOf(spool, this.#ages, now.lastSeq, now.durableSeq);
    this.#value = pressureOf(
      { ...now, usedBytes: spool.usedBytes, lag: this.#lag, ofLagMs: this.#usedOfLagMs(now) },
      policy,
    );
    this.#wasFull ||= this.#value >= 1;
    const nearest = Math.min(policy.spoolLimitBytes, policy.lagBytesMax, this.#allowance?.bytes ?? policy.lagBytesMax);
    this.#seenToBytes = spool.endPosition + nearest * unseenShareMax;
  }

  #usedOfLagMs({ isAsync, isLinkUp, durableSeq }: PressureFacts): number {
    const { spool, clock, policy } = this.#parts;
    const { lagMsMax } = policy;
    const { bytes: undurableBytes, seconds } = this.#lag;
    const ageMs = seconds * 1000;
    if (!isAsync || !Number.isFinite(lagMsMax)) {
      this.#allowance = undefined;
      return ageMs / lagMsMax;
    }
    this.#allowance ??= new LagAllowance(lagMsMax);
    const durableBytes = spool.endPosition - undurableBytes;
    return this.#allowance.look({
      ...{ nowMs: clock.monotonicMs(), isLinkUp, durableSeq, durableBytes, undurableBytes, ageMs },
    });
  }

  added(firstSeq: number): void {
    this.#ages.added(firstSeq);
    // Nobody is told from here that it has eased: whoever has added this is still at it.
    if (this.#parts.spool.endPosition > this.#seenToBytes) this.#look();
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
