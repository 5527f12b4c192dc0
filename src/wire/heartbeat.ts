/**
 * Whether the other side is alive, counted in beats of one's own: a beat that comes late because this side was busy
 * counts as one, so that nobody takes his own sleep for the other's death.
 */
import { assert } from "#src/core/assert.ts";

export class Heartbeat {
  readonly #silentBeatsMax: number;
  #silentBeats = 0;
  #hasSent = false;

  constructor(intervalMs: number, silenceMs: number) {
    assert(intervalMs > 0 && silenceMs >= intervalMs, "a silence is longer than a beat");
    this.#silentBeatsMax = Math.ceil(silenceMs / intervalMs);
  }

  received(): void {
    this.#silentBeats = 0;
  }

  sent(): void {
    this.#hasSent = true;
  }

  /** Once per interval: what is to be done. A side that has just said something need not say that it lives. */
  beat(): "nothing" | "say so" | "give up" {
    if (this.#silentBeats >= this.#silentBeatsMax) return "give up";
    this.#silentBeats++;
    const answer = this.#hasSent ? "nothing" : "say so";
    this.#hasSent = false;
    return answer;
  }
}
