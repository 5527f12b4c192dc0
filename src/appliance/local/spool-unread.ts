/**
 * What becomes of it when the spool cannot be read back for the remote: without a descriptor nothing was tried yet, so that
 * it is tried again a moment later; anything else is the end of the group.
 */
import { RetryError } from "#src/core/errors.ts";
import { descriptorPatienceMs } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";

/** While it goes on so, it is said so often. */
const sayEveryMs = 60_000;

export interface SpoolUnreadParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The spool could not be read back. */
  readonly failed: (error: Error) => void;
}

export class SpoolUnread {
  readonly #parts: SpoolUnreadParts;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SpoolUnreadParts) {
    this.#parts = parts;
  }

  /** Whether `again` will be called: by then whoever calls this may not need it any more. */
  isTriedAgain(error: Error, again: () => void): boolean {
    const { clock, failed } = this.#parts;
    if (error instanceof RetryError) {
      this.#say(error);
      clock.timer(descriptorPatienceMs, again);
      return true;
    }
    failed(error);
    return false;
  }

  #say(error: RetryError): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#saidMs < sayEveryMs) return;
    this.#saidMs = nowMs;
    log.warn("what the remote lacks cannot be read back at present: it is tried again", { error });
  }
}
