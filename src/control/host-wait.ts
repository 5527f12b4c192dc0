/**
 * For how long hosts have waited in vain: for the source to take any write, or for any flush to end. It is looked at each time that
 * facts are told, so that nothing is added to the way of a request. A disk that is slow moves all the same; one that stands still does not.
 */

export interface HostWork {
  /** Ordinals: up to where the mode has acknowledged, and up to where the source has them. */
  readonly acknowledged: number;
  readonly applied: number;
  /** Of flushes: whether somebody waits for one, and how many rounds have ended. */
  readonly isFlushAwaited: boolean;
  readonly flushRounds: number;
}

const nothing: HostWork = { acknowledged: 0, applied: 0, isFlushAwaited: false, flushRounds: 0 };

/** Something that moves on, as long as anybody waits for it. */
class Motion {
  #at = -1;
  #sinceMs: number | undefined;

  /** For how long it has stood still while it was waited for. */
  look(isAwaited: boolean, at: number, nowMs: number): number {
    if (!isAwaited) this.#sinceMs = undefined;
    else if (this.#sinceMs === undefined || at !== this.#at) this.#sinceMs = nowMs;
    this.#at = at;
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}

export class HostWait {
  readonly #writes = new Motion();
  readonly #flushes = new Motion();

  /** Whole seconds, by a clock that never jumps. Undefined: what is asked for is refused at once, so that nobody waits. */
  look(work: HostWork | undefined, nowMs: number): number {
    const { acknowledged, applied, isFlushAwaited, flushRounds } = work ?? nothing;
    const writesMs = this.#writes.look(applied < acknowledged, applied, nowMs);
    const flushesMs = this.#flushes.look(isFlushAwaited, flushRounds, nowMs);
    return Math.floor(Math.max(writesMs, flushesMs) / 1000);
  }
}
