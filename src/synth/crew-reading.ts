/**
 * One reading of many blocks by a crew: gathered into pieces, each read by one of its threads, and put where they are wanted. What
 * a thread cannot read, for whatever reason, is told, so that whoever asked reads it himself: he may know more of what the store has
 * by now, and finds out what of it is damaged.
 *
 * Invariant: when `end` has answered or rejected no piece of this reading is with a thread, and `target` is written to no more.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { crewBlocksMin } from "#src/core/crew-limits.ts";
import { blockBytes } from "#src/core/limits.ts";
import { readBlockCountMax } from "#src/core/store-limits.ts";
import { slotOf } from "#src/records/address.ts";
import type { PieceCrew } from "#src/store/piece-crew.ts";
import type { ReadPiece } from "#src/store/read-piece.ts";

/** Blocks that are not there yet; their addresses follow each other. */
export interface LeftBlocks {
  readonly address: number;
  readonly blockCount: number;
  /** Of the first one in the target; the others follow it. */
  readonly at: number;
}

interface PieceUnderWay {
  readonly piece: ReadPiece;
  /** Of each of its blocks, where it goes. */
  readonly places: readonly number[];
}

export interface CrewReadingParts {
  readonly crew: PieceCrew;
  readonly volume: number;
  readonly group: string;
  readonly target: Buffer;
  /** In all, about: they are shared out where that helps. */
  readonly blockCount: number;
}

export class CrewReading {
  readonly #parts: CrewReadingParts;
  readonly #blocksPerPiece: number;
  readonly #left: LeftBlocks[] = [];
  readonly #underWay: Promise<void>[] = [];
  #piece: ReadPiece | undefined;
  #places: number[] = [];

  constructor(parts: CrewReadingParts) {
    this.#parts = parts;
    const { isBusy, memberCount } = parts.crew;
    const share = isBusy ? readBlockCountMax : divFloor(parts.blockCount + memberCount - 1, memberCount);
    this.#blocksPerPiece = Math.min(Math.max(share, crewBlocksMin), readBlockCountMax);
  }

  /** Blocks whose addresses follow each other, to `at` in the target. */
  async add(address: number, blockCount: number, at: number): Promise<void> {
    const { crew, volume, group } = this.#parts;
    for (let block = 0; block < blockCount; block++) {
      this.#piece ??= await crew.take();
      this.#piece.group = group;
      this.#piece.add(address + block, volume);
      this.#places.push(at + block * blockBytes);
      if (this.#piece.count === this.#blocksPerPiece) this.#send();
    }
  }

  #send(): void {
    if (this.#piece === undefined) return;
    const underWay = { piece: this.#piece, places: this.#places };
    this.#piece = undefined;
    this.#places = [];
    const reading = this.#read(underWay);
    // It may have failed long before `end` is asked what came of it.
    reading.catch(() => {});
    this.#underWay.push(reading);
  }

  async #read({ piece, places }: PieceUnderWay): Promise<void> {
    const { crew } = this.#parts;
    try {
      await crew.read(piece).catch((error: unknown) => {
        if (isOwnFault(error)) throw error;
        piece.damaged.fill(1, 0, piece.count);
      });
      this.#put(piece, places);
    } finally {
      crew.give(piece);
    }
  }

  #put({ count, blocks, damaged, addresses }: ReadPiece, places: readonly number[]): void {
    const { target } = this.#parts;
    for (let first = 0; first < count; ) {
      const at = places[first] as number;
      let end = first;
      while (end < count && damaged[end] === 0 && places[end] === at + (end - first) * blockBytes) end++;
      if (end > first) blocks.copy(target, at, first * blockBytes, end * blockBytes);
      else this.#leave(addresses[first] as number, at);
      first = Math.max(end, first + 1);
    }
  }

  #leave(address: number, at: number): void {
    const last = this.#left.at(-1);
    const follows =
      last !== undefined &&
      last.address + last.blockCount === address &&
      last.at + last.blockCount * blockBytes === at &&
      slotOf(address) > 0;
    if (follows) this.#left[this.#left.length - 1] = { ...last, blockCount: last.blockCount + 1 };
    else this.#left.push({ address, blockCount: 1, at });
  }

  /** Answers what is left to be read. */
  async end(): Promise<readonly LeftBlocks[]> {
    this.#send();
    const outcomes = await Promise.allSettled(this.#underWay);
    const failed = outcomes.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return this.#left;
  }
}
