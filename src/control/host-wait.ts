/**
 * For how long hosts have waited in vain: for the source to take any write, or to read anything, or for any flush to end. It is looked
 * at each time that facts are told, and what was at hand is not counted, so that nothing is added to the way of a request. A disk that
 * is slow moves all the same; one that stands still does not.
 */

export interface HostWork {
  /** Ordinals: up to where the mode has acknowledged, and up to where the source has them. */
  readonly acknowledged: number;
  readonly applied: number;
  /** What the source was asked to read for hosts, and did not have at hand: how many, and how many have ended. */
  readonly slowReads: number;
  readonly slowReadsEnded: number;
  /** Of flushes: whether somebody waits for one, and how many rounds have ended. */
  readonly isFlushAwaited: boolean;
  readonly flushRounds: number;
  /** All who wait for a flush do so for the end of a resync alone. */
  readonly isFlushHeld: boolean;
}

/** What hosts have waited for, and for how many whole seconds. */
export interface HostWaitFacts {
  readonly hostWaitSeconds?: number;
  /** Absent: it is a disk that does nothing, as far as can be told. */
  readonly hostWaitFor?: "resync";
}

const nothing: HostWork = {
  ...{ acknowledged: 0, applied: 0, slowReads: 0, slowReadsEnded: 0 },
  ...{ isFlushAwaited: false, flushRounds: 0, isFlushHeld: false },
};

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
  readonly #reads = new Motion();
  readonly #flushes = new Motion();

  /** By a clock that never jumps. `work` undefined: what is asked for is refused at once, so that nobody waits. */
  look(work: HostWork | undefined, nowMs: number): HostWaitFacts {
    const { acknowledged, applied, slowReads, slowReadsEnded } = work ?? nothing;
    const { isFlushAwaited, flushRounds, isFlushHeld } = work ?? nothing;
    const writesMs = this.#writes.look(applied < acknowledged, applied, nowMs);
    const readsMs = this.#reads.look(slowReadsEnded < slowReads, slowReadsEnded, nowMs);
    const flushesMs = this.#flushes.look(isFlushAwaited, flushRounds, nowMs);
    const sourceSeconds = Math.floor(Math.max(writesMs, readsMs) / 1000);
    const hostWaitSeconds = Math.max(sourceSeconds, Math.floor(flushesMs / 1000));
    if (hostWaitSeconds === 0) return {};
    // A source that does nothing either has more to answer for than the resync.
    return sourceSeconds === 0 && isFlushHeld ? { hostWaitSeconds, hostWaitFor: "resync" } : { hostWaitSeconds };
  }
}
