/** Tells a work's pace of what was read or written, in pieces that are worth a pause; what is left of one work goes on in the next. */
import { workPieceBytes } from "#src/core/store-limits.ts";
import type { WorkControl } from "./work-control.ts";

export class PacedBytes {
  readonly #control: WorkControl;
  #byteLength = 0;

  constructor(control: WorkControl) {
    this.#control = control;
  }

  async add(byteLength: number): Promise<void> {
    this.#byteLength += byteLength;
    if (this.#byteLength < workPieceBytes) return;
    const piece = this.#byteLength;
    this.#byteLength = 0;
    await this.#control.pace(piece);
  }
}
