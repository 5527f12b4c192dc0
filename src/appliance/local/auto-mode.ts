/**
 * Picks a group's mode by what the link can do. Pure: fed with what was measured, answers when to move, and why.
 *
 *     sync ◀──▶ async ◀──▶ aggregated
 *
 * One step at a time. Down, to a mode that asks less of the link, when its reason has held for a short while; up again
 * when all that the stricter mode needs has held for long. A step up that did not last makes the next one wait twice as
 * long, one that lasted makes it wait half as long: so the moves of any hour are few, whatever the link does, for as long
 * as the program runs and nobody asks for another mode: what it has seen of the link is not kept.
 */
import { MiB } from "#src/core/limits.ts";
import type { Mode } from "./mode-machine.ts";

/** What an operator asks for. */
export type WantedMode = Mode | "auto";

export interface AutoPolicy {
  /** Sync is worth it while the remote answers within this time. */
  readonly answerMsMax: number;
  /** Async is left when the remote is further behind. */
  readonly lagSecondsMax: number;
  /** Async is left when hosts write more than this. */
  readonly bytesPerSecondMax: number;
  readonly downAfterMs: number;
  readonly upAfterMs: number;
  /** However often a step up did not last. */
  readonly upAfterMsMax: number;
}

export interface AutoFacts {
  readonly nowMs: number;
  readonly isLinkUp: boolean;
  readonly answerMs: number | undefined;
  readonly lagSeconds: number;
  /** What the remote has not even received. */
  readonly backlogBytes: number;
  readonly shippedBytesPerSecond: number;
  readonly addedBytesPerSecond: number;
}

export interface AutoMove {
  readonly to: Mode;
  readonly why: string;
}

/** From the strictest on. */
const ladder = ["sync", "async", "aggregated"] as const;

/** A stricter mode must fit with something to spare. */
const spare = 0.7;
/** What is usual is the middle of so many. */
const answersLookedAt = 5;
/** A step up has lasted when it did so this many times as long as it was waited for. */
const lastingFactor = 10;
/** Less is under way at any moment. */
const smallBacklogBytes = 1 * MiB;

export class AutoMode {
  readonly #policy: AutoPolicy;
  #step: number;
  /** Since when there is a reason to go down, or nothing against going up. */
  #downSinceMs: number | undefined;
  #upSinceMs: number | undefined;
  #upAfterMs: number;
  /** Of the last looks; undefined where nothing was shipped. */
  #answersMs: (number | undefined)[] = [];
  /** Of the last step up. */
  #steppedUpMs: number | undefined;
  /** What the link took when it could not take all, and when that was: it may be another link an hour later. */
  #carried = { bytesPerSecond: Number.POSITIVE_INFINITY, seenMs: 0 };

  constructor(policy: AutoPolicy, current: Mode) {
    this.#policy = policy;
    this.#step = ladder.indexOf(current);
    this.#upAfterMs = policy.upAfterMs;
  }

  get mode(): Mode {
    return ladder[this.#step] as Mode;
  }

  look(seen: AutoFacts): AutoMove | undefined {
    const facts = { ...seen, answerMs: this.#usualAnswerMs(seen.answerMs) };
    const whyDown = this.#whyDown(facts);
    const whyUp = whyDown === undefined ? this.#whyUp(facts) : undefined;
    this.#downSinceMs = whyDown === undefined ? undefined : (this.#downSinceMs ?? facts.nowMs);
    this.#upSinceMs = whyUp === undefined ? undefined : (this.#upSinceMs ?? facts.nowMs);
    if (whyDown !== undefined && hasHeld(this.#downSinceMs, this.#policy.downAfterMs, facts)) {
      return this.#stepDown(whyDown, facts);
    }
    if (whyUp !== undefined && hasHeld(this.#upSinceMs, this.#upAfterMs, facts)) return this.#stepUp(whyUp, facts);
    return undefined;
  }

  /** One slow answer says little of a link, and a single quick one neither. */
  #usualAnswerMs(answerMs: number | undefined): number | undefined {
    this.#answersMs = [...this.#answersMs, answerMs].slice(-answersLookedAt);
    const known = this.#answersMs.filter((one) => one !== undefined).sort((one, other) => one - other);
    return known.length > answersLookedAt / 2 ? known[Math.floor(known.length / 2)] : undefined;
  }

  #whyDown({
    isLinkUp,
    answerMs,
    lagSeconds,
    addedBytesPerSecond,
    shippedBytesPerSecond,
  }: AutoFacts): string | undefined {
    const { answerMsMax, lagSecondsMax, bytesPerSecondMax } = this.#policy;
    switch (this.mode) {
      case "sync":
        if (!isLinkUp) return "the link is down";
        if (answerMs !== undefined && answerMs > answerMsMax)
          return `the remote takes ${rounded(answerMs)} ms to answer, and ${answerMsMax} are allowed`;
        return undefined;
      case "async":
        // What is caught up with already needs no other mode.
        if (isLinkUp && lagSeconds > lagSecondsMax && shippedBytesPerSecond < addedBytesPerSecond)
          return `the remote is ${rounded(lagSeconds)} s behind, and ${lagSecondsMax} are allowed`;
        if (addedBytesPerSecond > bytesPerSecondMax)
          return `hosts write ${rounded(addedBytesPerSecond)} bytes a second, and ${bytesPerSecondMax} are allowed`;
        return undefined;
      case "aggregated":
        return undefined;
    }
  }

  #whyUp({ nowMs, isLinkUp, answerMs, backlogBytes, addedBytesPerSecond }: AutoFacts): string | undefined {
    const { answerMsMax, bytesPerSecondMax, upAfterMsMax } = this.#policy;
    if (!isLinkUp) return undefined;
    if (this.mode === "aggregated") {
      const isKnown = nowMs - this.#carried.seenMs < upAfterMsMax;
      const carried = isKnown ? this.#carried.bytesPerSecond : Number.POSITIVE_INFINITY;
      const roomBytesPerSecond = Math.min(bytesPerSecondMax, carried) * spare;
      // The lag says nothing here: it is as long as aggregates are apart.
      return addedBytesPerSecond <= roomBytesPerSecond ? "the link can take every write" : undefined;
    }
    const isQuick = answerMs !== undefined && answerMs <= answerMsMax * spare && backlogBytes <= smallBacklogBytes;
    return this.mode === "async" && isQuick ? `the remote answers within ${rounded(answerMs)} ms` : undefined;
  }

  #stepDown(why: string, { nowMs, shippedBytesPerSecond, isLinkUp }: AutoFacts): AutoMove {
    const { upAfterMs, upAfterMsMax } = this.#policy;
    const hasLasted = this.#steppedUpMs === undefined || nowMs - this.#steppedUpMs >= this.#upAfterMs * lastingFactor;
    this.#upAfterMs = hasLasted
      ? Math.max(upAfterMs, this.#upAfterMs / 2)
      : Math.min(upAfterMsMax, this.#upAfterMs * 2);
    if (this.mode === "async" && isLinkUp) this.#carried = { bytesPerSecond: shippedBytesPerSecond, seenMs: nowMs };
    return this.#move(this.#step + 1, why);
  }

  #stepUp(why: string, { nowMs }: AutoFacts): AutoMove {
    this.#steppedUpMs = nowMs;
    return this.#move(this.#step - 1, why);
  }

  #move(step: number, why: string): AutoMove {
    this.#step = step;
    this.#downSinceMs = undefined;
    this.#upSinceMs = undefined;
    return { to: this.mode, why };
  }
}

function hasHeld(sinceMs: number | undefined, afterMs: number, { nowMs }: AutoFacts): boolean {
  return sinceMs !== undefined && nowMs - sinceMs >= afterMs;
}

function rounded(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
