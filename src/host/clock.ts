/** The clock port: time for ordering and time-outs (monotonic), time for people (wall), and turns of the event loop. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Never goes back; fractions count. */
  monotonicMs(): number;
  /** Milliseconds since 1970. May jump either way. */
  wallMs(): number;
  timer(delayMs: number, callback: () => void): Timer;
  /** On a later turn of the event loop, before any time passes, in the order of the calls. */
  soon(callback: () => void): void;
}
