/** The clock port. What must not be fooled by an operator or a time server goes by the monotonic time. */

export interface Timer {
  /** Afterwards the callback is not called any more. Cancelling twice, or too late, does nothing. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds, with a fraction, since some moment in the past. Never goes back and never jumps. */
  monotonicMs(): number;
  /** As `monotonicMs`, since a moment that is one for all threads and processes of this host: for what goes between them. */
  hostMs(): number;
  /** Milliseconds since 1970 as this host believes. May jump in both directions. */
  wallMs(): number;
  /**
   * Calls back once, not before `monotonicMs` has grown by `delayMs`, and never before this returns. Timers
   * of the same delay are called in the order in which they were set.
   */
  timer(delayMs: number, callback: () => void): Timer;
  /** Calls back on a later turn of the event loop, before any time need pass, in the order of the calls. */
  soon(callback: () => void): void;
}
