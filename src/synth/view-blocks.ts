/**
 * The blocks of a view: what was written to it, over its point. Reads answer at once as long as all is at hand.
 *
 * Invariant: what is read is what was written last, or what the point has; of what is damaged nothing is given.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { viewRegionBlocks, viewStatusRunsMax } from "#src/core/view-limits.ts";
import { DamagedBlocksError } from "#src/journals/segment-reader.ts";
import { holeAddress } from "#src/records/address.ts";
import { type DamagedRow, ImageDamage } from "./image-damage.ts";
import { ImageRuns, runKind } from "./image-runs.ts";
import { OverlayRun, untouched } from "./overlay-map.ts";
import { imageReadBlocksMax } from "./point-image.ts";
import type { ViewBase } from "./view-base.ts";
import type { ViewOverlay } from "./view-overlay.ts";

/** Whether all that was asked for was read, and is sound. */
export type Readings = boolean | Promise<boolean>;

export interface BlockSpan {
  readonly blockCount: number;
  readonly isHole: boolean;
}

export class ViewBlocks {
  readonly base: ViewBase;
  readonly #run = new OverlayRun();
  /** Of what was written: the point tells its own. */
  readonly #damage = new ImageDamage(", as written to the view,");
  /** Undefined: nothing can be written. Another one takes its place when its journals were opened anew. */
  overlay: ViewOverlay | undefined;
  #isClosed = false;

  constructor(base: ViewBase, overlay: ViewOverlay | undefined) {
    this.base = base;
    this.overlay = overlay;
  }

  /** What readers have met of damage in what was written, and what is still there of it as far as is known. */
  get findings(): readonly string[] {
    return this.#damage.findings;
  }

  /** Looks whether it still is: the disk may give it again, or something else was written there. `turn`: others get theirs. */
  async lookAgain(turn: () => Promise<void>): Promise<void> {
    for (const [finding, row] of this.#damage.rows) {
      if (this.#isClosed) return;
      this.#damage.drop(finding);
      try {
        this.#lookAt(row);
      } catch (error) {
        this.#damage.putBack([[finding, row]]);
        throw error;
      }
      await turn();
    }
  }

  /** What still is damaged is noted again. Such a row was met within one run. */
  #lookAt({ startBlock, blockCount }: DamagedRow): void {
    assert(blockCount <= viewRegionBlocks, "a run of what was written ends with its region");
    const end = startBlock + blockCount;
    const target = Buffer.allocUnsafe(blockCount * blockBytes);
    for (let block = startBlock; block < end; ) {
      const count = this.#runAt(block, end);
      const { address } = this.#run;
      if (address !== untouched && address !== holeAddress) this.#readWritten(block, target, 0);
      block += count;
    }
  }

  /**
   * To `start` in `target`, zeros where nothing is, if all is at hand and sound. False: `read` has to do it; nothing is written to
   * `target` any more.
   */
  readNow(startBlock: number, blockCount: number, target: Buffer, start: number): boolean {
    if (this.overlay === undefined) return this.base.readNow(startBlock, blockCount, target, start);
    const end = startBlock + blockCount;
    for (let block = startBlock; block < end; ) {
      const at = start + (block - startBlock) * blockBytes;
      const count = this.#runAt(block, end);
      const { address } = this.#run;
      if (address === holeAddress) target.fill(0, at, at + count * blockBytes);
      else if (address !== untouched && !this.#readWritten(block, target, at)) return false;
      else if (address === untouched && !this.base.readNow(block, count, target, at)) return false;
      block += count;
    }
    return true;
  }

  /** The same, also where it has to be waited for. What rejects is no damage. */
  read(startBlock: number, blockCount: number, target: Buffer, start: number): Readings {
    const end = startBlock + blockCount;
    for (let block = startBlock; block < end; ) {
      const at = start + (block - startBlock) * blockBytes;
      const count = this.#runAt(block, end);
      const part = this.#readRun(block, count, target, at);
      block += count;
      if (part === false) return false;
      if (part !== true) return this.#readOn(part, block, end, target, at + count * blockBytes);
    }
    return true;
  }

  async #readOn(part: Promise<boolean>, block: number, end: number, target: Buffer, start: number): Promise<boolean> {
    if (!(await part)) return false;
    this.#checkGoesOn();
    return block === end || this.read(block, end - block, target, start);
  }

  /** Answers how many blocks are of the kind that `#run` says. */
  #runAt(block: number, end: number): number {
    const run = this.#run;
    if (this.overlay === undefined) {
      run.address = untouched;
      run.blockCount = end - block;
    } else this.overlay.runAt(block, end, run);
    if (run.address === untouched) run.blockCount = Math.min(run.blockCount, imageReadBlocksMax);
    return run.blockCount;
  }

  #readRun(block: number, blockCount: number, target: Buffer, start: number): Readings {
    const run = this.#run;
    if (run.address === holeAddress) {
      target.fill(0, start, start + blockCount * blockBytes);
      return true;
    }
    if (run.address !== untouched) return this.#readWritten(block, target, start);
    const damaged = this.base.read(block, blockCount, target, start);
    return damaged instanceof Promise ? damaged.then(isNone) : isNone(damaged);
  }

  #readWritten(block: number, target: Buffer, start: number): boolean {
    try {
      (this.overlay as ViewOverlay).read(block, this.#run, target, start);
      return true;
    } catch (error) {
      if (!(error instanceof DamagedBlocksError)) throw error;
      this.#damage.unreadable(error.blocks);
      return false;
    }
  }

  /** From `startBlock` on, before `endBlock`, at most `countMax` and at least one; neighbours differ. May end early. */
  async spans(startBlock: number, endBlock: number, countMax: number): Promise<BlockSpan[]> {
    const spans = new SpanList(countMax);
    const [run, runs] = [new OverlayRun(), new ImageRuns()];
    for (let block = startBlock; block < endBlock && spans.lookedAt < viewStatusRunsMax; ) {
      if (this.overlay === undefined) run.blockCount = endBlock - block;
      else this.overlay.runAt(block, endBlock, run);
      this.#checkGoesOn();
      if (run.address === untouched) {
        const runEnd = await this.#pointSpans(block, block + run.blockCount, runs, spans);
        if (spans.isFull) break;
        block = runEnd;
        continue;
      }
      if (!spans.add(run.blockCount, run.address === holeAddress)) break;
      block += run.blockCount;
    }
    return spans.spans;
  }

  /** Whoever waited is not to ask what is closed: he was hung up on. */
  #checkGoesOn(): void {
    if (this.#isClosed) throw new RetryError("the view was closed while it was read");
  }

  /** What is under way rejects where it would go on. */
  close(): void {
    this.#isClosed = true;
  }

  async #pointSpans(startBlock: number, endBlock: number, runs: ImageRuns, spans: SpanList): Promise<number> {
    const waiting = this.base.runsIn(startBlock, endBlock - startBlock, runs);
    if (waiting !== undefined) await waiting;
    for (let index = 0; index < runs.count; index++) {
      // What is not known is read, and found out then.
      if (!spans.add(runs.blockCount(index), runs.kind(index) === runKind.hole)) break;
    }
    return runs.endBlock;
  }
}

class SpanList {
  readonly spans: { blockCount: number; isHole: boolean }[] = [];
  readonly #countMax: number;
  isFull = false;
  lookedAt = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** False: it has no place any more. */
  add(blockCount: number, isHole: boolean): boolean {
    this.lookedAt++;
    const last = this.spans.at(-1);
    if (last?.isHole === isHole) last.blockCount += blockCount;
    else if (this.spans.length < this.#countMax) this.spans.push({ blockCount, isHole });
    else this.isFull = true;
    return !this.isFull;
  }
}

function isNone(damaged: readonly number[]): boolean {
  return damaged.length === 0;
}
