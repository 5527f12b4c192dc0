/**
 * A view as an image that is copied: its point with what was written to it. Nobody has its export meanwhile, so it stands still.
 *
 * Invariant: what is damaged is told block by block, of the point as of what was written, and nothing of it is given.
 */
import { blockBytes } from "#src/core/limits.ts";
import { DamagedBlocksError } from "#src/journals/segment-reader.ts";
import { holeAddress } from "#src/records/address.ts";
import { type ImageRuns, imageRunsMax, runKind } from "./image-runs.ts";
import { OverlayRun, untouched } from "./overlay-map.ts";
import { imageReadBlocksMax } from "./point-image.ts";
import type { ReadImage } from "./restore-piece.ts";
import type { ViewBase } from "./view-base.ts";
import { ViewBlocks } from "./view-blocks.ts";
import type { ViewOverlay } from "./view-overlay.ts";

export class ViewContent implements ReadImage {
  readonly sizeBytes: number;
  readonly blockCount: number;
  readonly #base: ViewBase;
  readonly #overlay: ViewOverlay;
  readonly #blocks: ViewBlocks;

  constructor(base: ViewBase, overlay: ViewOverlay) {
    this.sizeBytes = base.sizeBytes;
    this.blockCount = base.blockCount;
    this.#base = base;
    this.#overlay = overlay;
    this.#blocks = new ViewBlocks(base, overlay);
  }

  /** What is not known to be a hole is data, wherever it lies. */
  async runsIn(startBlock: number, blockCount: number, runs: ImageRuns): Promise<void> {
    runs.clear();
    let block = startBlock;
    for (const span of await this.#blocks.spans(startBlock, startBlock + blockCount, imageRunsMax)) {
      runs.add(span.isHole ? runKind.hole : runKind.unknown, block, span.blockCount, holeAddress);
      block += span.blockCount;
    }
  }

  async read(startBlock: number, blockCount: number, target: Buffer, start: number): Promise<readonly number[]> {
    const damaged: number[] = [];
    const run = new OverlayRun();
    const end = startBlock + blockCount;
    for (let block = startBlock; block < end; block += run.blockCount) {
      this.#overlay.runAt(block, end, run);
      run.blockCount = Math.min(run.blockCount, imageReadBlocksMax);
      const at = start + (block - startBlock) * blockBytes;
      const isWritten = run.address !== untouched;
      const bad = isWritten
        ? this.#readWritten(block, run, target, at)
        : await this.#base.read(block, run.blockCount, target, at);
      for (const one of bad) damaged.push(block - startBlock + one);
    }
    return damaged;
  }

  /** Answers which blocks are damaged, counted from the run's first one. */
  #readWritten(block: number, run: Readonly<OverlayRun>, target: Buffer, start: number): number[] {
    if (run.address === holeAddress) {
      target.fill(0, start, start + run.blockCount * blockBytes);
      return [];
    }
    if (this.#isSound(block, run, target, start)) return [];
    const damaged: number[] = [];
    const one = new OverlayRun();
    one.blockCount = 1;
    for (let index = 0; index < run.blockCount; index++) {
      one.address = run.address + index;
      if (!this.#isSound(block + index, one, target, start + index * blockBytes)) damaged.push(index);
    }
    return damaged;
  }

  #isSound(block: number, run: Readonly<OverlayRun>, target: Buffer, start: number): boolean {
    try {
      this.#overlay.read(block, run, target, start);
      return true;
    } catch (error) {
      if (error instanceof DamagedBlocksError) return false;
      throw error;
    }
  }
}
