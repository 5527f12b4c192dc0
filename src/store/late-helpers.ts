/** Helpers that are begun when they are first wanted: who keeps a store and has nothing to seal does without their memory. */
import type { FrameBatch } from "./frame-batch.ts";
import type { SealHelpers } from "./seal-helpers.ts";
import type { SlotRun } from "./slot-run.ts";

export class LateHelpers implements SealHelpers {
  readonly #begin: () => SealHelpers;
  #begun: SealHelpers | undefined;

  constructor(begin: () => SealHelpers) {
    this.#begin = begin;
  }

  get #helpers(): SealHelpers {
    this.#begun ??= this.#begin();
    return this.#begun;
  }

  get aheadCount(): number {
    return this.#helpers.aheadCount;
  }

  fingerprint(run: SlotRun, count: number): Promise<number> {
    return this.#helpers.fingerprint(run, count);
  }

  takeBatch(): FrameBatch {
    return this.#helpers.takeBatch();
  }

  giveBatch(batch: FrameBatch): void {
    this.#helpers.giveBatch(batch);
  }

  pack(batch: FrameBatch): Promise<void> {
    return this.#helpers.pack(batch);
  }
}
