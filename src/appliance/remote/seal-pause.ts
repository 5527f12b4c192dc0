/**
 * When what failed is tried again: soon where it may work by itself, and ever later where a person has to look first, since
 * each try takes something from the others. On request at once. Pure.
 */
import { RetryError } from "#src/core/errors.ts";
import { remoteSealRetryMsMax } from "#src/core/store-limits.ts";

export class SealPause {
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** In a row, and such that only a person can help. */
  #failureCount = 0;

  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  /** What failed last is nothing that passes. */
  get isForPerson(): boolean {
    return this.#failureCount > 0;
  }

  failed(error: Error, nowMs: number, retryMs: number): void {
    this.#failureCount = error instanceof RetryError ? 0 : this.#failureCount + 1;
    const times = 2 ** Math.max(0, this.#failureCount - 1);
    this.#notBeforeMs = nowMs + Math.min(retryMs * times, Math.max(retryMs, remoteSealRetryMsMax));
  }

  succeeded(): void {
    this.#failureCount = 0;
    this.end();
  }

  end(): void {
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }
}
