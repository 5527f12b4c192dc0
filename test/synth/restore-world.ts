/** A point and a target in memory, of which either may fail. */
import { blockBytes } from "#src/core/limits.ts";
import { type ImageRuns, runKind } from "#src/synth/image-runs.ts";
import { Restore, stretchesOf } from "#src/synth/restore.ts";
import { RestoreSums, restoreIdentityBytes } from "#src/synth/restore-sums.ts";
import type { RestoreTarget } from "#src/synth/restore-target.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { idleControl } from "./snapshot-world.ts";

export class PlainImage {
  readonly content: Buffer;
  readonly damaged = new Set<number>();
  readonly #isHole: boolean[];
  readBlocks = 0;

  /** Rows of data, zeros and holes. */
  constructor(seed: number, sizeBytes: number) {
    const random = new SeededRandom(seed);
    this.content = Buffer.alloc(sizeBytes);
    this.#isHole = new Array(this.blockCount).fill(true);
    for (let block = 0; block < this.blockCount; ) {
      const count = random.pick([1, 3, 20, 400]);
      const kind = random.pick(["data", "zeros", "hole"]);
      for (const end = block + count; block < end && block < this.blockCount; block++) {
        this.#isHole[block] = kind === "hole";
        if (kind === "data") random.bytes(blockBytes).copy(this.content, block * blockBytes);
      }
    }
  }

  get sizeBytes(): number {
    return this.content.length;
  }

  get blockCount(): number {
    return Math.ceil(this.sizeBytes / blockBytes);
  }

  runsIn(startBlock: number, blockCount: number, runs: ImageRuns): undefined {
    runs.clear();
    for (let block = startBlock; block < startBlock + blockCount && !runs.isFull; block++) {
      const kind = this.#isHole[block] === true ? runKind.hole : runKind.data;
      runs.add(kind, block, 1, kind === runKind.hole ? 0 : 65_536 + block);
    }
  }

  read(startBlock: number, blockCount: number, target: Buffer, start: number): readonly number[] {
    this.readBlocks += blockCount;
    const from = startBlock * blockBytes;
    this.content.copy(target, start, from, Math.min(from + blockCount * blockBytes, this.sizeBytes));
    const damaged = Array.from({ length: blockCount }, (_, block) => block).filter((block) =>
      this.damaged.has(startBlock + block),
    );
    for (const block of damaged) target.fill(0xee, start + block * blockBytes, start + (block + 1) * blockBytes);
    return damaged;
  }
}

export class PlainTarget implements RestoreTarget {
  readonly content: Buffer;
  writtenBytes = 0;
  readonly writes: { readonly position: number; readonly lengthBytes: number }[] = [];
  syncs = 0;
  /** So many more may be written. */
  bytesLeft = Number.POSITIVE_INFINITY;
  /** What is written there is lost. */
  losesAt = -1;

  constructor(sizeBytes: number, fill = 0) {
    this.content = Buffer.alloc(sizeBytes, fill);
  }

  get sizeBytes(): number {
    return this.content.length;
  }

  async read(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void> {
    this.content.copy(buffer, start, position, position + lengthBytes);
  }

  async write(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void> {
    this.bytesLeft -= lengthBytes;
    if (this.bytesLeft < 0) throw new Error("killed");
    this.writtenBytes += lengthBytes;
    this.writes.push({ position, lengthBytes });
    buffer.copy(this.content, position, start, start + lengthBytes);
    const isLost = this.losesAt >= position && this.losesAt < position + lengthBytes;
    if (isLost) this.content[this.losesAt] = (this.content[this.losesAt] as number) ^ 1;
    if (isLost) this.losesAt = -1;
  }

  async clear(position: number, lengthBytes: number): Promise<void> {
    this.content.fill(0, position, position + lengthBytes);
  }

  async zerosFrom(): Promise<number> {
    return 0;
  }

  async sync(): Promise<void> {
    this.syncs++;
  }

  async close(): Promise<void> {}
}

export class RestoreWorld {
  readonly image: PlainImage;
  readonly #simulation = new Simulation(1);
  readonly files = this.#simulation.host("a").files;
  target: PlainTarget;

  constructor(seed: number, sizeBytes: number, fill = 0) {
    this.image = new PlainImage(seed, sizeBytes);
    this.target = new PlainTarget(sizeBytes, fill);
    this.files.makeFolder("/restore");
  }

  sums(identity = Buffer.alloc(restoreIdentityBytes, 7)): RestoreSums {
    return RestoreSums.open(this.files, "/restore/sums", identity, stretchesOf(this.image));
  }

  async restore({ isClear = false, isVerified = true, mayOverwrite = true } = {}) {
    const sums = this.sums();
    const { image, target } = this;
    let isOver = false;
    const restored = new Restore({ image, target, sums, isClear, mayOverwrite, isVerified, control: idleControl })
      .run()
      .finally(() => {
        isOver = true;
        sums.close();
      });
    restored.catch(() => {});
    await simDriver(this.#simulation.clock).until(() => isOver);
    return await restored;
  }
}
