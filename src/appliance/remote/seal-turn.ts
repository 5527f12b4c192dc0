/**
 * Whose turn it is: that of hosts, as long as much lands, or that of sealing. Sealing takes processors, memory and disks from
 * those who write, and can be done at any time; so it waits for a calm moment, of all groups together, until so much waits
 * that it has to keep up with them.
 *
 * Invariant: sealing does not wait for hosts while more than `behindBytesMax` waits.
 */
import { assert } from "#src/core/assert.ts";
import { sealCalmBytesPerSecond } from "#src/core/store-limits.ts";

/** Once too much waits it is caught up with until so little is left: what has just landed is still in memory then. */
const caughtUpShare = 1 / 8;
const windowMs = 1000;

export class SealTurn {
  readonly #behindBytesMax: number;
  #waitingBytes = 0;
  #isCatchingUp = false;
  /** Of the last second that has begun, and of the one before it. */
  #window = 0;
  #landedBytes = 0;
  #landedBytesBefore = 0;

  constructor(behindBytesMax: number) {
    this.#behindBytesMax = behindBytesMax;
  }

  /** Payload that waits to be sealed: so much more, or less. */
  waits(bytes: number): void {
    this.#waitingBytes += bytes;
    assert(this.#waitingBytes >= 0, "nothing is sealed that did not wait");
    if (this.#waitingBytes > this.#behindBytesMax) this.#isCatchingUp = true;
    else if (this.#waitingBytes <= this.#behindBytesMax * caughtUpShare) this.#isCatchingUp = false;
  }

  landed(bytes: number, nowMs: number): void {
    this.#moveOn(nowMs);
    this.#landedBytes += bytes;
  }

  /** 0: sealing may begin now; else it asks again after so long. */
  waitMs(nowMs: number): number {
    this.#moveOn(nowMs);
    const landedBytes = Math.max(this.#landedBytes, this.#landedBytesBefore);
    return this.#isCatchingUp || landedBytes < sealCalmBytesPerSecond ? 0 : windowMs;
  }

  #moveOn(nowMs: number): void {
    const window = Math.floor(nowMs / windowMs);
    if (window === this.#window) return;
    this.#landedBytesBefore = window === this.#window + 1 ? this.#landedBytes : 0;
    this.#landedBytes = 0;
    this.#window = window;
  }
}
