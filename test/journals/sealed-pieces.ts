/** A store in memory, and pieces of a journal sealed in it. */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { AbsentObjectError, type ObjectInfo, type Objects, type ObjectWriter } from "#src/store/objects.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { volumeCount } from "./random-units.ts";

export const pieceGroup = "0123456789abcdef0123456789abcdef";
export const sealedAtMicros = 1_700_000_100_000_000;

/** Just what pieces need; its bytes may be changed. */
export class MemoryObjects implements Objects {
  readonly bytes = new Map<string, Buffer>();
  /** Writers that were begun, and neither finished nor abandoned. */
  openCount = 0;
  /** Since it was last set. */
  readCount = 0;
  readBytes = 0;

  create(name: string): ObjectWriter {
    const pieces: Buffer[] = [];
    this.openCount++;
    return {
      get writtenBytes() {
        return pieces.reduce((sum, piece) => sum + piece.length, 0);
      },
      write: async (bytes) => {
        pieces.push(Buffer.from(bytes));
      },
      finish: async () => {
        this.bytes.set(name, Buffer.concat(pieces));
        this.openCount--;
      },
      abandon: async () => {
        this.openCount--;
      },
    };
  }

  restore(name: string): ObjectWriter {
    return this.create(name);
  }

  async read(name: string, target: Buffer, position: number): Promise<number> {
    const readBytes = this.#of(name).copy(target, 0, Math.min(position, this.#of(name).length));
    this.readCount++;
    this.readBytes += readBytes;
    return readBytes;
  }

  async sizeBytes(name: string): Promise<number> {
    return this.#of(name).length;
  }

  #of(name: string): Buffer {
    const bytes = this.bytes.get(name);
    if (bytes === undefined) throw new AbsentObjectError(name);
    return bytes;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const names = [...this.bytes.keys()].filter((name) => name.startsWith(prefix)).sort();
    for (const name of names) yield { name, sizeBytes: this.#of(name).length };
  }

  async remove(name: string): Promise<void> {
    this.bytes.delete(name);
  }

  async readDocument(): Promise<undefined> {}
  async changeDocument(): Promise<undefined> {}
  async close(): Promise<void> {}
}

export class PieceMaker {
  readonly objects = new MemoryObjects();
  readonly randomness: SeededRandom;
  readonly #key: Buffer | undefined;

  constructor(seed = 77, key?: Buffer) {
    this.randomness = new SeededRandom(seed);
    this.#key = key;
  }

  async seal(units: readonly SealedUnit[], previous?: PieceLink): Promise<SealedPiece> {
    const { objects, randomness } = this;
    const parts = { objects, randomness, key: this.#key, group: pieceGroup, previous };
    const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
    for (const unit of units) await builder.add(unit);
    return SealedPiece.open(objects, await builder.finish(sealedAtMicros), this.#key);
  }
}

export async function listOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What the piece says of all blocks of volumes as `RandomUnits` has them. */
export async function volumesScanned(piece: SealedPiece): Promise<BlockExtent[]> {
  const extents: BlockExtent[] = [];
  for (let volume = 0; volume <= volumeCount; volume++) extents.push(...(await listOf(piece.scan(volume))));
  return extents;
}
