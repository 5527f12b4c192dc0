/** Single bits that flip in what a store keeps, one in each file at a time: a scrub turns them all back. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import { durableNode, filesOf } from "./file-tree.ts";

interface Flip {
  readonly path: string;
  readonly file: SimFile;
  readonly position: number;
  readonly bit: number;
  /** What was there before. */
  readonly byte: number;
}

export class StoreFlips {
  readonly #disk: SimDisk;
  #flips: Flip[] = [];

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  /** Of those that were not turned back. */
  get paths(): string[] {
    this.#look();
    return this.#flips.map(({ path, position, bit }) => `bit ${bit} of byte ${position} of ${path}`);
  }

  /** Answers where; undefined: there is nothing that could be damaged. */
  flip(random: SeededRandom): string | undefined {
    this.#look();
    const files = [...filesOf(this.#disk.root)].filter(([path, file]) => this.#mayFlip(path, file));
    if (files.length === 0) return undefined;
    const [path, file] = random.pick(files);
    const position = random.integerBelow(file.current.sizeBytes);
    const bit = random.integerBelow(8);
    this.#flips.push({ path, file, position, bit, byte: byteAt(file, position) });
    file.flipBit(position, bit);
    return `${path} at ${position}`;
  }

  /** Published, sound, and of a document both of whose copies are. */
  #mayFlip(path: string, file: SimFile): boolean {
    const isKept = /\/(segments|pieces|snapshots)\/|\.json$/.test(path) && !path.endsWith(".unpublished");
    const isPublished = durableNode(this.#disk.root, path) === file && file.current.sizeBytes > 0;
    const isFirst = this.#flips.every((flip) => nameOf(flip.path) !== nameOf(path));
    return isKept && isPublished && isFirst && this.#hasTwin(path);
  }

  /** A full disk may have a document once only: whoever opens the store makes the copy when there is room. */
  #hasTwin(path: string): boolean {
    if (!/\/(store|history\/\w+)(-copy)?\.json$/.test(path)) return true;
    const twin = path.endsWith("-copy.json") ? nameOf(path) : path.replace(/\.json$/, "-copy.json");
    return durableNode(this.#disk.root, twin) !== undefined;
  }

  /** Whoever looks at the file sees what it would be without. */
  undo(file: SimFile, bytes: Buffer): void {
    for (const flip of this.#flips) {
      if (flip.file !== file || bytes[flip.position] !== (flip.byte ^ (1 << flip.bit))) continue;
      bytes[flip.position] = flip.byte;
    }
  }

  /** What was turned back, or is gone, is forgotten. */
  #look(): void {
    this.#flips = this.#flips.filter(
      ({ path, file, position, byte }) => this.#disk.find(path) === file && byteAt(file, position) !== byte,
    );
  }
}

/** The same for both copies of a document. */
function nameOf(path: string): string {
  return path.replace(/-copy\.json$/, ".json");
}

function byteAt(file: SimFile, position: number): number {
  const byte = Buffer.alloc(1);
  file.current.read(byte, 0, 1, position);
  return byte[0] as number;
}
