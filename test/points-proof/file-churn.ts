/**
 * Files that come, change and go on a mounted file system. Of those that were synced it is noted from which seq on they must be
 * there, whatever happens to the machine, and up to which.
 */
import { mkdir, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { noise } from "#test/clients/image.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

export interface SyncedFile {
  /** Below the file system's root. */
  readonly path: string;
  readonly seed: number;
  readonly bytes: number;
  readonly sinceSeq: number;
  untilSeq: number;
}

const keptCount = 24;
const bytesMax = 96 * 1024;
const loosePerRound = 8;

export class FileChurn {
  readonly #root: string;
  readonly #random: SeededRandom;
  readonly #seqNow: () => number;
  readonly #files: SyncedFile[] = [];
  readonly #kept: SyncedFile[] = [];
  #number = 0;

  /** `seqNow`: what was answered by now is at no later seq. */
  constructor(root: string, random: SeededRandom, seqNow: () => number) {
    this.#root = root;
    this.#random = random;
    this.#seqNow = seqNow;
  }

  async begin(): Promise<void> {
    await mkdir(join(this.#root, "synced"));
    await mkdir(join(this.#root, "loose"));
    await this.#addSynced();
  }

  /** Until the work has ended. */
  async goOn(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    work.then(end, end);
    while (!isOver) {
      await this.#addSynced();
      await this.#churnLoose();
      if (this.#kept.length > keptCount) await this.#removeOldest();
      const draw = this.#random.integerBelow(40);
      if (draw === 0) await succeed("fstrim", [this.#root]);
      if (draw === 1) await succeed("sync", ["-f", this.#root]);
    }
  }

  /** Such as must be there at a seq, not more than so many of them. */
  filesAt(seq: number, random: SeededRandom, count: number): SyncedFile[] {
    const there = this.#files.filter(({ sinceSeq, untilSeq }) => sinceSeq <= seq && seq <= untilSeq);
    const first = random.integerBelow(Math.max(1, there.length - count + 1));
    return there.slice(first, first + count);
  }

  /** In words, what is wrong with it under this root. */
  async differenceOf({ path, seed, bytes }: SyncedFile, root: string): Promise<string | undefined> {
    try {
      const found = await readFile(join(root, path));
      return found.equals(noise(bytes, seed)) ? undefined : `${path} is not what was synced`;
    } catch (error) {
      return `${path}: ${(error as Error).message}`;
    }
  }

  async #addSynced(): Promise<void> {
    const seed = ++this.#number;
    const bytes = this.#random.between(1, bytesMax);
    const path = `synced/file-${seed}`;
    const unnamed = join(this.#root, `synced/new-${seed}`);
    const file = await open(unnamed, "w");
    await file.writeFile(noise(bytes, seed));
    await file.sync();
    await file.close();
    await rename(unnamed, join(this.#root, path));
    const folder = await open(join(this.#root, "synced"), "r");
    await folder.sync();
    await folder.close();
    const noted = { path, seed, bytes, sinceSeq: this.#seqNow(), untilSeq: Number.POSITIVE_INFINITY };
    this.#files.push(noted);
    this.#kept.push(noted);
  }

  async #removeOldest(): Promise<void> {
    const oldest = this.#kept.shift();
    if (oldest === undefined) return;
    oldest.untilSeq = this.#seqNow();
    await rm(join(this.#root, oldest.path));
  }

  /** Nobody syncs these: what becomes of them is the file system's affair. */
  async #churnLoose(): Promise<void> {
    for (let index = 0; index < loosePerRound; index++) {
      const path = join(this.#root, `loose/file-${this.#random.integerBelow(60)}`);
      const draw = this.#random.integerBelow(10);
      if (draw < 6) await writeFile(path, noise(this.#random.between(0, bytesMax), this.#number + index));
      else if (draw < 8) await rm(path, { force: true });
      else await truncate(path, this.#random.between(0, 2 * bytesMax)).catch(() => {});
    }
  }
}
