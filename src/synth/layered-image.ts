/**
 * A volume at a point, made of layers: for each block the newest that says something of it counts, and what none speaks of reads as
 * zeros.
 *
 * Where an object goes that a layer reads in, since retention or folding has put another in its place, all layers are put
 * together anew; a call that is under way goes on with those. So they are where somebody meets damage that he may have met before:
 * it may have been repaired since.
 */
import { assert, isOwnFault } from "#src/core/assert.ts";
import { readNowBlocksMax } from "#src/core/crew-limits.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { imageLooksMax } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { holeAddress } from "#src/records/address.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import { DamagePause } from "./damage-pause.ts";
import { type DamagedRow, ImageDamage } from "./image-damage.ts";
import { type ImageLayer, LayerAnswer, says, unknownLayer } from "./image-layer.ts";
import { ImageRuns, type RunKind, runKind } from "./image-runs.ts";
import type { PlacedRun, PointBlocks } from "./point-blocks.ts";
import { imageReadBlocksMax, type PointImage } from "./point-image.ts";

/** Retention let go of the point, which was not held. */
export class ExpiredPointError extends RefuseError {
  override name = "ExpiredPointError";
}

export interface ImageFacts {
  readonly group: string;
  readonly volume: number;
  readonly seq: number;
  readonly timeMicros: number;
  readonly sizeBytes: number;
}

export interface ImageLayers {
  /** The newest first. */
  readonly layers: readonly ImageLayer[];
  readonly findings: readonly string[];
  /** What they alone have in memory is needed no more. */
  readonly close: () => void;
}

export interface LayeredImageParts {
  readonly clock: Clock;
  readonly facts: ImageFacts;
  readonly layers: ImageLayers;
  readonly blocks: PointBlocks;
  /** Puts them together of what is there now. Rejects with an `ExpiredPointError` where the point is gone. */
  readonly layersAnew: () => Promise<ImageLayers>;
}

const nothingDamaged: readonly number[] = [];
/** Reads under way whose memory is used again. */
const runsKeptMax = 16;

export class LayeredImage implements PointImage {
  readonly group: string;
  readonly volume: number;
  readonly seq: number;
  readonly timeMicros: number;
  readonly sizeBytes: number;
  readonly blockCount: number;
  readonly #parts: LayeredImageParts;
  readonly #answer = new LayerAnswer();
  readonly #freeRuns: ImageRuns[] = [];
  #layers: readonly ImageLayer[];
  #findings: readonly string[];
  #closeLayers: () => void;
  readonly #damage = new ImageDamage();
  /** What is told of damage that somebody looks at again, until he has seen whether it still is. */
  #doubted: readonly string[] = [];
  #lookingAgain: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;
  /** The same for damage alone. */
  #looking: Promise<void> | undefined;
  readonly #pause: DamagePause;
  #isClosed = false;

  constructor(parts: LayeredImageParts) {
    const { group, volume, seq, timeMicros, sizeBytes } = parts.facts;
    this.group = group;
    this.volume = volume;
    this.seq = seq;
    this.timeMicros = timeMicros;
    this.sizeBytes = sizeBytes;
    this.blockCount = Math.ceil(sizeBytes / blockBytes);
    this.#parts = parts;
    this.#layers = parts.layers.layers;
    this.#findings = parts.layers.findings;
    this.#closeLayers = parts.layers.close;
    this.#pause = new DamagePause(parts.clock);
  }

  get findings(): readonly string[] {
    return [...new Set([...this.#findings, ...this.#damage.findings, ...this.#doubted])];
  }

  runsIn(startBlock: number, blockCount: number, runs: ImageRuns): Promise<void> | undefined {
    assert(!this.#isClosed, "an image that is closed is not asked");
    assert(startBlock >= 0 && startBlock + blockCount <= this.blockCount, "blocks are the volume's");
    runs.clear();
    return this.#addRuns(startBlock, startBlock + blockCount, runs);
  }

  #addRuns(startBlock: number, endBlock: number, runs: ImageRuns): Promise<void> | undefined {
    const answer = this.#answer;
    for (let block = startBlock; block < endBlock && !runs.isFull; ) {
      const waiting = this.#look(block, endBlock);
      if (waiting !== undefined) return this.#addRunsLater(waiting, block, endBlock, runs);
      runs.add(kindOf(answer), block, answer.endBlock - block, answer.address);
      block = answer.endBlock;
    }
    return undefined;
  }

  async #addRunsLater(waiting: Promise<void>, startBlock: number, endBlock: number, runs: ImageRuns): Promise<void> {
    let [loading, block]: [Promise<void> | undefined, number] = [waiting, startBlock];
    for (let looks = 0; loading !== undefined; ) {
      try {
        await loading;
      } catch (error) {
        if (!(error instanceof AbsentObjectError)) throw error;
        if (++looks > imageLooksMax) throw new RetryError(`what ${this.#inWords} is read from goes on changing`);
        await this.#renew();
      }
      if (this.#isClosed) throw new RetryError(`${this.#inWords} was closed while it was read`);
      loading = undefined;
      const answer = this.#answer;
      while (block < endBlock && !runs.isFull) {
        loading = this.#look(block, endBlock);
        if (loading !== undefined) break;
        runs.add(kindOf(answer), block, answer.endBlock - block, answer.address);
        block = answer.endBlock;
      }
    }
  }

  /** Says of the block in `#answer` what the layers together say, up to `endBlock` at most. */
  #look(block: number, endBlock: number): Promise<void> | undefined {
    const answer = this.#answer;
    let end = endBlock;
    for (const layer of this.#layers) {
      const waiting = layer.look(block, answer);
      if (waiting !== undefined) return waiting;
      if (answer.endBlock < end) end = answer.endBlock;
      if (answer.says === says.nothing) continue;
      answer.endBlock = end;
      return answer.says === says.unknown ? this.#metUnknown(block, answer) : undefined;
    }
    answer.says = says.hole;
    answer.address = holeAddress;
    answer.endBlock = end;
    return undefined;
  }

  #metUnknown(block: number, { finding, endBlock }: LayerAnswer): Promise<void> | undefined {
    const looking = this.#lookAnew();
    if (looking === undefined && finding !== undefined) this.#damage.unknown(finding, block, endBlock - block);
    return looking;
  }

  /** Undefined: it was looked lately. Where all cannot be put together anew, it stays as it was. */
  #lookAnew(): Promise<void> | undefined {
    if (this.#looking === undefined && this.#pause.mayLook()) {
      this.#looking = this.#renew()
        .catch((error: unknown) => {
          if (isOwnFault(error)) throw error;
        })
        .finally(() => {
          this.#looking = undefined;
          this.#pause.looked();
        });
    }
    return this.#looking;
  }

  lookAgain(): Promise<void> {
    this.#lookingAgain ??= this.#lookAtDamage().finally(() => {
      this.#lookingAgain = undefined;
      this.#doubted = [];
    });
    return this.#lookingAgain;
  }

  async #lookAtDamage(): Promise<void> {
    const { rows, findings } = this.#damage;
    if (this.#findings.length > 0 || rows.some(([, { isUnknown }]) => isUnknown)) {
      const looking = this.#lookAnew();
      if (looking === undefined) return;
      this.#doubted = findings;
      await looking;
    } else if (rows.length === 0 || !this.#pause.mayLook()) return;
    else {
      this.#doubted = findings;
      this.#damage.clear();
    }
    for (const [index, [, row]] of rows.entries()) {
      if (this.#isClosed) return;
      try {
        await this.#lookAt(row);
      } catch (error) {
        // The store may not answer now: that says nothing of what is damaged.
        this.#damage.putBack(rows.slice(index));
        throw error;
      }
    }
  }

  /** Whoever meets damage there notes it again. */
  async #lookAt({ startBlock, blockCount, isUnknown }: DamagedRow): Promise<void> {
    const count = Math.min(blockCount, imageReadBlocksMax);
    if (isUnknown) await this.runsIn(startBlock, count, new ImageRuns());
    else await this.read(startBlock, count, Buffer.allocUnsafe(count * blockBytes), 0);
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#parts
      .layersAnew()
      .then(({ layers, findings, close }) => {
        if (this.#isClosed) return close();
        this.#closeLayers();
        this.#layers = layers;
        this.#findings = findings;
        this.#closeLayers = close;
        this.#damage.clear();
      })
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  get #inWords(): string {
    return `volume ${this.volume} of group ${this.group} after record ${this.seq}`;
  }

  read(
    startBlock: number,
    blockCount: number,
    target: Buffer,
    start: number,
  ): readonly number[] | Promise<readonly number[]> {
    assert(blockCount <= imageReadBlocksMax, "a read is not too long");
    assert(start + blockCount * blockBytes <= target.length, "there is room for what is read");
    const runs = this.#freeRuns.pop() ?? new ImageRuns();
    const waiting = this.runsIn(startBlock, blockCount, runs);
    if (waiting !== undefined) return this.#readLater(waiting, runs, startBlock, target, start);
    const done = this.#blocksNow(runs, startBlock, target, start);
    if (done < runs.count) return this.#readRuns(runs, done, startBlock, target, start);
    this.#giveBack(runs);
    return nothingDamaged;
  }

  readNow(startBlock: number, blockCount: number, target: Buffer, start: number): boolean {
    assert(!this.#isClosed, "an image that is closed is not asked");
    const endBlock = startBlock + blockCount;
    assert(startBlock >= 0 && endBlock <= this.blockCount, "blocks are the volume's");
    const answer = this.#answer;
    for (let block = startBlock; block < endBlock; ) {
      const waiting = this.#look(block, endBlock);
      if (waiting !== undefined) {
        // Whoever reads it next waits for the same, and hears what came of it.
        waiting.catch(() => {});
        return false;
      }
      const count = answer.endBlock - block;
      const at = start + (block - startBlock) * blockBytes;
      if (answer.says === says.unknown) return false;
      if (answer.says === says.hole) target.fill(0, at, at + count * blockBytes);
      else if (!this.#parts.blocks.readNow(this.volume, answer.address, count, target, at)) return false;
      block += count;
    }
    return true;
  }

  /** Answers which run is the first that has to be waited for, or has something to tell. Much at a time is for others to read. */
  #blocksNow(runs: ImageRuns, startBlock: number, target: Buffer, start: number): number {
    if (this.#parts.blocks.isHelped && runs.endBlock - startBlock > readNowBlocksMax) return 0;
    for (let run = 0; run < runs.count; run++) {
      const at = start + (runs.startBlock(run) - startBlock) * blockBytes;
      const count = runs.blockCount(run);
      const kind = runs.kind(run);
      if (kind === runKind.hole) target.fill(0, at, at + count * blockBytes);
      else if (kind === runKind.unknown) return run;
      else if (!this.#parts.blocks.readNow(this.volume, runs.address(run), count, target, at)) return run;
    }
    return runs.count;
  }

  async #readLater(
    waiting: Promise<void>,
    runs: ImageRuns,
    startBlock: number,
    target: Buffer,
    start: number,
  ): Promise<readonly number[]> {
    await waiting;
    const done = this.#blocksNow(runs, startBlock, target, start);
    if (done < runs.count) return await this.#readRuns(runs, done, startBlock, target, start);
    this.#giveBack(runs);
    return nothingDamaged;
  }

  async #readRuns(
    runs: ImageRuns,
    from: number,
    startBlock: number,
    target: Buffer,
    start: number,
  ): Promise<readonly number[]> {
    const damaged: number[] = [];
    const wanted: PlacedRun[] = [];
    for (let run = from; run < runs.count; run++) {
      const first = runs.startBlock(run) - startBlock;
      const at = start + first * blockBytes;
      const blockCount = runs.blockCount(run);
      const kind = runs.kind(run);
      if (kind === runKind.hole) target.fill(0, at, at + blockCount * blockBytes);
      else if (kind === runKind.unknown) for (let block = 0; block < blockCount; block++) damaged.push(first + block);
      else wanted.push({ volume: this.volume, address: runs.address(run), blockCount, at });
    }
    this.#giveBack(runs);
    const unreadable = (await this.#parts.blocks.readRuns(wanted, target)).map((at) => (at - start) / blockBytes);
    if (unreadable.length === 0) return damaged;
    unreadable.sort(byNumber);
    this.#damage.unreadable(unreadable.map((block) => startBlock + block));
    return [...damaged, ...unreadable].sort(byNumber);
  }

  #giveBack(runs: ImageRuns): void {
    if (this.#freeRuns.length < runsKeptMax) this.#freeRuns.push(runs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layers = [unknownLayer];
    this.#closeLayers();
  }
}

function byNumber(one: number, other: number): number {
  return one - other;
}

function kindOf(answer: LayerAnswer): RunKind {
  if (answer.says === says.data) return runKind.data;
  return answer.says === says.unknown ? runKind.unknown : runKind.hole;
}
