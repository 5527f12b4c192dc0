/** The bytes of a file that may be large and mostly holes. A block is data, or has space without data, or is a hole. */
import { divCeil, divFloor, splitAtUnits } from "#src/core/byte-range.ts";

export const sparseBlockBytes = 4096;

export class SparseBytes {
  /** `null`: space was set aside, and it reads as zeros. */
  readonly #blocks: Map<number, Buffer | null>;
  /** Blocks that nobody else has: what is shared is never changed, but replaced. */
  readonly #own = new Set<number>();
  #sizeBytes: number;

  constructor(from?: SparseBytes) {
    this.#sizeBytes = from?.sizeBytes ?? 0;
    this.#blocks = new Map(from?.blocks());
    if (from !== undefined) from.#own.clear();
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get spaceBytes(): number {
    return this.#blocks.size * sparseBlockBytes;
  }

  blocks(): Iterable<[number, Buffer | null]> {
    return this.#blocks;
  }

  /** Answers how many bytes there were. */
  read(target: Buffer, start: number, lengthBytes: number, position: number): number {
    const count = Math.max(0, Math.min(lengthBytes, this.#sizeBytes - position));
    const end = position + count;
    for (let index = divFloor(position, sparseBlockBytes); index * sparseBlockBytes < end; index++) {
      const block = this.#blocks.get(index) ?? null;
      const blockAt = index * sparseBlockBytes;
      const from = Math.max(position, blockAt);
      const to = Math.min(end, blockAt + sparseBlockBytes);
      const at = start + from - position;
      if (block === null) target.fill(0, at, at + to - from);
      else block.copy(target, at, from - blockAt, to - blockAt);
    }
    return count;
  }

  /** The source is shared from now on: it must not be changed any more. */
  write(source: Buffer, start: number, lengthBytes: number, position: number): void {
    for (const piece of piecesOf(position, lengthBytes)) {
      const at = start + piece.position - position;
      if (piece.lengthBytes < sparseBlockBytes) {
        source.copy(this.#ownBlock(piece.block), piece.startInBlock, at, at + piece.lengthBytes);
      } else {
        this.#blocks.set(piece.block, source.subarray(at, at + sparseBlockBytes));
        this.#own.delete(piece.block);
      }
    }
    if (lengthBytes > 0) this.#sizeBytes = Math.max(this.#sizeBytes, position + lengthBytes);
  }

  #ownBlock(index: number): Buffer {
    const found = this.#blocks.get(index);
    if (found !== undefined && found !== null && this.#own.has(index)) return found;
    const block = Buffer.alloc(sparseBlockBytes);
    found?.copy(block);
    this.#blocks.set(index, block);
    this.#own.add(index);
    return block;
  }

  /** Zeros over the range. Whole blocks lose their data, and their space too unless it is kept. The size stays. */
  zero(position: number, lengthBytes: number, keepSpace: boolean): void {
    const length = Math.max(0, Math.min(lengthBytes, this.#sizeBytes - position));
    const { headBytes, wholeBytes, tailBytes } = splitAtUnits(position, length, sparseBlockBytes);
    this.#clear(position, headBytes);
    this.#clear(position + headBytes + wholeBytes, tailBytes);
    const first = (position + headBytes) / sparseBlockBytes;
    const end = first + wholeBytes / sparseBlockBytes;
    if (keepSpace) {
      for (let block = first; block < end; block++) this.#blocks.set(block, null);
    } else {
      this.#drop((block) => block >= first && block < end);
    }
  }

  #clear(position: number, lengthBytes: number): void {
    for (const piece of piecesOf(position, lengthBytes)) {
      const isData = (this.#blocks.get(piece.block) ?? null) !== null;
      if (isData) this.#ownBlock(piece.block).fill(0, piece.startInBlock, piece.startInBlock + piece.lengthBytes);
    }
  }

  /** Goes by the blocks that there are: a range may be far larger. */
  #drop(isDropped: (block: number) => boolean): void {
    for (const block of this.#blocks.keys()) if (isDropped(block)) this.#blocks.delete(block);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      this.zero(sizeBytes, this.#sizeBytes - sizeBytes, false);
      const end = divCeil(sizeBytes, sparseBlockBytes);
      this.#drop((block) => block >= end);
    }
    this.#sizeBytes = sizeBytes;
  }

  /** How many blocks of the range have no space yet. */
  missingBlocks(position: number, lengthBytes: number): number {
    let count = 0;
    for (const piece of piecesOf(position, lengthBytes)) if (!this.#blocks.has(piece.block)) count++;
    return count;
  }

  kindAt(position: number): "data" | "space" | "hole" {
    const block = this.#blocks.get(divFloor(position, sparseBlockBytes));
    if (block === undefined) return "hole";
    return block === null ? "space" : "data";
  }

  flipBit(position: number, bit: number): void {
    const block = this.#ownBlock(divFloor(position, sparseBlockBytes));
    const at = position % sparseBlockBytes;
    block[at] = (block[at] as number) ^ (1 << bit);
  }
}

interface Piece {
  readonly block: number;
  readonly position: number;
  readonly startInBlock: number;
  readonly lengthBytes: number;
}

function* piecesOf(position: number, lengthBytes: number): Generator<Piece> {
  const end = position + lengthBytes;
  for (let at = position; at < end; ) {
    const startInBlock = at % sparseBlockBytes;
    const count = Math.min(sparseBlockBytes - startInBlock, end - at);
    yield { block: divFloor(at, sparseBlockBytes), position: at, startInBlock, lengthBytes: count };
    at += count;
  }
}
