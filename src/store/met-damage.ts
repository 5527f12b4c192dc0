/**
 * Damage that readers have met, on its way to whoever looks after the store: each segment once in a while, however often it is read.
 * Of more segments than are kept in mind the one that was told first is told again.
 */
import { metDamageAgainMs, metDamageMax } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";

export class MetDamage {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #tell: (segment: number) => void;
  /** When each was told; the one told first is first. */
  readonly #toldMs = new Map<number, number>();

  constructor(clock: Pick<Clock, "monotonicMs">, tell: (segment: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  readonly note = (segment: number): void => {
    const nowMs = this.#clock.monotonicMs();
    const toldMs = this.#toldMs.get(segment);
    if (toldMs !== undefined && nowMs < toldMs + metDamageAgainMs) return;
    this.#toldMs.delete(segment);
    this.#toldMs.set(segment, nowMs);
    if (this.#toldMs.size > metDamageMax) this.#toldMs.delete(this.#toldMs.keys().next().value as number);
    this.#tell(segment);
  };
}
