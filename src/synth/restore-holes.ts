/** Which parts of a point are holes, asked in the order of the blocks: a row of answers is kept until it is passed. */
import { blockBytes } from "#src/core/limits.ts";
import { ImageRuns, runKind } from "./image-runs.ts";
import type { ByteSpan, ReadImage } from "./restore-piece.ts";

export class RestoreHoles {
  readonly #image: ReadImage;
  readonly #runs = new ImageRuns();
  #run = 0;

  constructor(image: ReadImage) {
    this.#image = image;
  }

  /** Whether all of it reads as zeros. Never back. */
  async isHole({ position, lengthBytes }: ByteSpan): Promise<boolean> {
    const end = Math.ceil((position + lengthBytes) / blockBytes);
    for (let block = position / blockBytes; block < end; block = this.#endOfRun) {
      await this.#turnTo(block);
      if (this.#runs.kind(this.#run) !== runKind.hole) return false;
    }
    return true;
  }

  async #turnTo(block: number): Promise<void> {
    const runs = this.#runs;
    if (runs.count === 0 || block >= runs.endBlock || block < runs.startBlock(0)) {
      await this.#image.runsIn(block, this.#image.blockCount - block, runs);
      this.#run = 0;
    }
    if (block < runs.startBlock(this.#run)) this.#run = 0;
    while (this.#endOfRun <= block) this.#run++;
  }

  get #endOfRun(): number {
    return this.#runs.startBlock(this.#run) + this.#runs.blockCount(this.#run);
  }
}
