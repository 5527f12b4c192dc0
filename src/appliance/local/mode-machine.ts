/**
 * The modes of a group, and what moves it from one to another. Pure: fed with what happens and the time, asked what is to
 * be done. A change of mode takes effect with a record in the order: what comes before it is acknowledged and shipped the
 * old way, what comes after it the new way.
 *
 *     loose ──ask sync──▶ draining ──backlog small: record──▶ entering ──durable at the record──▶ sync
 *       ▲                    │ ▲                                 │                                 │
 *       └─── ask another ────┘ └────── link back and steady ── degraded ◀── link gone too long ────┤
 *       └─── ask another: record ──────────────────────────────────────────────────────────────────┘
 *
 * In `entering` and `sync` a write waits for the remote. Everywhere else it does not, and the mode is one of the loose
 * ones, async or aggregated; from one of them to the other it is a record and nothing else.
 */
import { assert, assertNever } from "#src/core/assert.ts";

export type LooseMode = "async" | "aggregated";
export type Mode = "sync" | LooseMode;

/** In what others have said. */
export function isMode(value: unknown): value is Mode {
  return value === "sync" || value === "async" || value === "aggregated";
}

/** Why a mode is switched to if nothing else is said. */
export const askedFor = "asked for";
export const linkLost = "the link is lost";
export const linkBack = "the link is back";

export type ModePhase = "loose" | "draining" | "entering" | "sync" | "degraded";

export interface ModePolicy {
  /** What happens to a group in sync whose link is lost: writes wait, or after a time go on without the remote. */
  readonly linkLoss: "stall" | "degrade";
  readonly degradeAfterMs: number;
  /** So long the link must have been up before sync is tried again. */
  readonly returnAfterMs: number;
  /** A backlog of at most this is waited for by the writes behind the switch. */
  readonly drainedBytes: number;
  /** While draining, the backlog allowed to writers is halved this often. */
  readonly tightenEveryMs: number;
}

export interface ModeFacts {
  readonly nowMs: number;
  readonly isLinkUp: boolean;
  /** Bytes in the spool that the remote has not received. */
  readonly backlogBytes: number;
  /** The remote's. */
  readonly durableSeq: number;
}

/** The switch that is to be recorded now. */
export interface ModeSwitch {
  readonly from: Mode;
  readonly to: Mode;
  readonly why: string;
}

/** One that has its record. */
export interface PlacedSwitch extends ModeSwitch {
  readonly seq: number;
}

export class ModeMachine {
  readonly #policy: ModePolicy;
  #target: Mode;
  #phase: ModePhase;
  /** The mode while no write waits for the remote. */
  #loose: LooseMode;
  #enteredMs = 0;
  /** Undefined: nobody has looked yet. */
  #linkChangedMs: number | undefined;
  #isLinkUp = false;
  #drainingLimitBytes = Number.POSITIVE_INFINITY;
  #enteringSeq = 0;
  #why: string = askedFor;

  /**
   * `current` is the mode that the last record of the order, `lastSeq`, was written under; `target` what was asked for. A
   * group in sync is not known to be through with its switch, so the remote must first have all there is.
   */
  constructor(policy: ModePolicy, current: Mode, target: Mode, lastSeq = 0) {
    this.#policy = policy;
    this.#target = target;
    this.#enteringSeq = lastSeq;
    this.#loose = current === "sync" ? looseOf(target) : current;
    if (current === "sync") this.#phase = lastSeq === 0 ? "sync" : "entering";
    else this.#phase = target === "sync" ? "degraded" : "loose";
  }

  get #linkChangedAtMs(): number {
    return this.#linkChangedMs ?? 0;
  }

  get phase(): ModePhase {
    return this.#phase;
  }

  get target(): Mode {
    return this.#target;
  }

  /** The mode that is left for sync, or that sync is left for. */
  get loose(): LooseMode {
    return this.#loose;
  }

  /** The mode that a record added now falls under. */
  get current(): Mode {
    return this.waitsForRemote ? "sync" : this.#loose;
  }

  get waitsForRemote(): boolean {
    return this.#phase === "sync" || this.#phase === "entering";
  }

  /** How much backlog writers may leave at this moment, so that a switch to sync comes to an end. */
  get backlogBytesMax(): number {
    return this.#phase === "draining" ? this.#drainingLimitBytes : Number.POSITIVE_INFINITY;
  }

  /** Answers the switch to be recorded at once, if any; `placed` follows. */
  ask(mode: Mode, facts: ModeFacts, why: string = askedFor): ModeSwitch | undefined {
    this.#target = mode;
    this.#why = why;
    if (mode === "sync") {
      if (this.#phase === "loose") this.#drain(facts);
      return this.step(facts);
    }
    const from = this.current;
    this.#enter("loose", facts);
    this.#loose = mode;
    return from === mode ? undefined : { from, to: mode, why };
  }

  /** To be called when any fact has changed, and now and then. */
  step(facts: ModeFacts): ModeSwitch | undefined {
    if (this.#linkChangedMs === undefined || facts.isLinkUp !== this.#isLinkUp) this.#linkChangedMs = facts.nowMs;
    this.#isLinkUp = facts.isLinkUp;
    switch (this.#phase) {
      case "loose":
        return undefined;
      case "draining":
        return this.#stepDraining(facts);
      case "entering":
        if (facts.durableSeq >= this.#enteringSeq) this.#enter("sync", facts);
        return this.#degradeWhenLost(facts);
      case "sync":
        return this.#degradeWhenLost(facts);
      case "degraded":
        if (facts.isLinkUp && facts.nowMs - this.#linkChangedAtMs >= this.#policy.returnAfterMs) {
          this.#why = linkBack;
          this.#drain(facts);
        }
        return undefined;
      default:
        return assertNever(this.#phase);
    }
  }

  /** When `step` has to be called next even if nothing happens; undefined: not before something does. */
  nextStepMs(nowMs: number): number | undefined {
    const { degradeAfterMs, returnAfterMs, linkLoss, tightenEveryMs } = this.#policy;
    switch (this.#phase) {
      case "loose":
        return undefined;
      case "draining":
        return nowMs + tightenEveryMs;
      case "entering":
      case "sync":
        return this.#isLinkUp || linkLoss === "stall" ? undefined : this.#linkChangedAtMs + degradeAfterMs;
      case "degraded":
        return this.#isLinkUp ? this.#linkChangedAtMs + returnAfterMs : undefined;
      default:
        return assertNever(this.#phase);
    }
  }

  /** The switch to sync stands in the order at this seq. */
  placed(seq: number): void {
    if (this.#phase === "entering") this.#enteringSeq = seq;
  }

  #drain(facts: ModeFacts): void {
    this.#enter("draining", facts);
    this.#drainingLimitBytes = Math.max(facts.backlogBytes, this.#policy.drainedBytes) * 2;
  }

  #stepDraining(facts: ModeFacts): ModeSwitch | undefined {
    if (facts.isLinkUp && facts.backlogBytes <= this.#policy.drainedBytes) {
      this.#enter("entering", facts);
      this.#enteringSeq = Number.POSITIVE_INFINITY;
      return { from: this.#loose, to: "sync", why: this.#why };
    }
    // While the link is down nothing drains, and writers are not made to suffer for it.
    if (!facts.isLinkUp) this.#enteredMs = facts.nowMs;
    const halvings = Math.floor((facts.nowMs - this.#enteredMs) / this.#policy.tightenEveryMs);
    if (halvings > 0) {
      this.#enteredMs += halvings * this.#policy.tightenEveryMs;
      this.#drainingLimitBytes = Math.max(this.#drainingLimitBytes / 2 ** halvings, this.#policy.drainedBytes);
    }
    return undefined;
  }

  #degradeWhenLost(facts: ModeFacts): ModeSwitch | undefined {
    const { linkLoss, degradeAfterMs } = this.#policy;
    if (facts.isLinkUp || linkLoss === "stall" || facts.nowMs - this.#linkChangedAtMs < degradeAfterMs)
      return undefined;
    assert(this.#target === "sync", "only what is to be sync degrades");
    this.#enter("degraded", facts);
    this.#loose = "async";
    return { from: "sync", to: "async", why: linkLost };
  }

  #enter(phase: ModePhase, facts: ModeFacts): void {
    this.#phase = phase;
    this.#enteredMs = facts.nowMs;
  }
}

function looseOf(target: Mode): LooseMode {
  return target === "sync" ? "async" : target;
}
