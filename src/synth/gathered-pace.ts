/** Tells a long work's control of bytes in pieces that are worth it: nodes are small. */
import { workPieceBytes } from "#src/core/store-limits.ts";
import type { WorkControl } from "#src/store/work-control.ts";

export class GatheredPace {
  readonly #control: WorkControl;
  #gatheredBytes = 0;

  constructor(control: WorkControl) {
    this.#control = control;
  }

  /** Undefined: there is nothing to wait for. */
  add(byteLength: number): Promise<void> | undefined {
    this.#gatheredBytes += byteLength;
    if (this.#gatheredBytes < workPieceBytes) return undefined;
    const gatheredBytes = this.#gatheredBytes;
    this.#gatheredBytes = 0;
    return this.#control.pace(gatheredBytes);
  }
}
