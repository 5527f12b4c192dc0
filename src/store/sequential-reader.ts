/**
 * Reads many blocks of the store in the order in which they are wanted, ahead of whoever takes them: some pieces are read at
 * the same time, by several readers, and come in their order.
 *
 * Invariants: there are no more than `pieceCount` pieces; a piece is read by one reader, once; when a reading is
 * over, however it ends, none of its pieces is being read any more.
 */
import { assert } from "#src/core/assert.ts";
import { piecesPerReader } from "#src/core/store-limits.ts";
import type { AddressRun } from "./block-reader.ts";
import type { PieceReader } from "./piece-reader.ts";
import { ReadPiece } from "./read-piece.ts";

/** Blocks in the order in which they were wanted: the caller's until it asks for the next ones. */
export type FilledPiece = Pick<ReadPiece, "count" | "blocks" | "damaged" | "addresses" | "volumes" | "group">;

interface PieceInFlight {
  readonly piece: ReadPiece;
  /** Never rejects: what went wrong, if anything. */
  readonly done: Promise<Error | undefined>;
}

export class SequentialReader {
  readonly #readers: readonly PieceReader[];
  readonly #free: ReadPiece[] = [];
  readonly #inFlight: PieceInFlight[] = [];
  #turn = 0;
  #isReading = false;

  constructor(readers: readonly PieceReader[]) {
    assert(readers.length > 0, "somebody has to read");
    this.#readers = readers;
  }

  /** One is with whoever takes them, one is being filled in, the others are being read or ready. */
  get pieceCount(): number {
    return this.#aheadCount + 2;
  }

  get #aheadCount(): number {
    return this.#readers.length * piecesPerReader;
  }

  /**
   * Gives the blocks of all runs, in their order; a piece has blocks of several runs, or a part of one. One reading at a
   * time. Throws what a reader threw, when it comes to that piece.
   */
  async *read(runs: Iterable<AddressRun> | AsyncIterable<AddressRun>): AsyncGenerator<FilledPiece, void> {
    assert(!this.#isReading, "one thing is read after the other");
    this.#isReading = true;
    try {
      yield* this.#pieces(piecesOf(runs, this.#free));
    } finally {
      for (const { piece, done } of this.#inFlight.splice(0)) {
        await done;
        this.#give(piece);
      }
      this.#isReading = false;
    }
  }

  async *#pieces(wanted: AsyncGenerator<ReadPiece, void>): AsyncGenerator<ReadPiece, void> {
    for (;;) {
      while (this.#inFlight.length < this.#aheadCount) {
        const { value: piece, done } = await wanted.next();
        if (done === true || piece === undefined) break;
        this.#begin(piece);
      }
      const oldest = this.#inFlight.shift();
      if (oldest === undefined) return;
      const error = await oldest.done;
      try {
        if (error !== undefined) throw error;
        yield oldest.piece;
      } finally {
        this.#give(oldest.piece);
      }
    }
  }

  #begin(piece: ReadPiece): void {
    const reader = this.#readers[this.#turn] as PieceReader;
    this.#turn = (this.#turn + 1) % this.#readers.length;
    const done = reader.read(piece).then(
      () => undefined,
      (error: Error) => error,
    );
    this.#inFlight.push({ piece, done });
  }

  #give(piece: ReadPiece): void {
    piece.count = 0;
    this.#free.push(piece);
  }
}

/** Pieces as full as can be, each of one group. One that is not handed on is given back. */
async function* piecesOf(
  runs: Iterable<AddressRun> | AsyncIterable<AddressRun>,
  free: ReadPiece[],
): AsyncGenerator<ReadPiece, void> {
  let piece = free.pop() ?? new ReadPiece();
  try {
    for await (const { address, blockCount, volume, group } of runs) {
      for (let block = 0; block < blockCount; block++) {
        if (piece.isFull || (piece.count > 0 && piece.group !== group)) {
          const full = piece;
          piece = free.pop() ?? new ReadPiece();
          yield full;
        }
        piece.group = group;
        piece.add(address + block, volume);
      }
    }
    if (piece.count === 0) return;
    const last = piece;
    piece = free.pop() ?? new ReadPiece();
    yield last;
  } finally {
    piece.count = 0;
    free.push(piece);
  }
}
