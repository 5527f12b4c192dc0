/** Reads pieces: here, or in a thread of its own, which has a reader of its own and shares the pieces' memory. */
import { assert, isOwnFault } from "#src/core/assert.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import type { MessageLine, Thread } from "#src/host/thread.ts";
import type { BlockReader } from "./block-reader.ts";
import { ReadPiece } from "./read-piece.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentIdentity } from "./segment-format.ts";

export interface PieceReader {
  /** Any number may be under way. What is damaged is told in the piece; rejects where it is not known what is. */
  read(piece: ReadPiece): Promise<void>;
}

export function pieceReaderOf(reader: BlockReader): PieceReader {
  return { read: (piece) => reader.readBlocks(piece, piece.blocks, 0, piece.damaged) };
}

/** What a thread is told. */
type Order =
  | { readonly word: "piece"; readonly id: number; readonly memory: SharedArrayBuffer }
  | ReadOrder
  | { readonly word: "published"; readonly identity: SegmentIdentity }
  | { readonly word: "removed"; readonly segment: number };

interface ReadOrder {
  readonly word: "read";
  readonly id: number;
  readonly piece: number;
  readonly count: number;
  readonly group: string | undefined;
}

interface Answer {
  readonly id: number;
  readonly error?: { readonly isRetry: boolean; readonly message: string };
}

export interface ThreadReader {
  readonly reader: BlockReader;
  readonly segments: SealedSegments;
}

/** The thread's side: reads what the line brings, once `open` has answered. */
export function servePieces(line: MessageLine, open: () => Promise<ThreadReader>): void {
  const pieces = new Map<number, ReadPiece>();
  let opened: Promise<ThreadReader> | undefined;
  const act = async (order: Order): Promise<void> => {
    if (order.word === "piece") {
      pieces.set(order.id, new ReadPiece(order.memory));
      return;
    }
    // After an opening that failed the next one tries again.
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    const { reader, segments } = await opened;
    if (order.word === "published") segments.published(order.identity);
    else if (order.word === "removed") segments.removed(order.segment);
    else await readPiece(reader, pieces.get(order.piece), order);
  };
  line.receive(async (message) => {
    const order = message as Order;
    const answer = await outcome(() => act(order));
    if (order.word === "read") line.send({ id: order.id, ...answer } satisfies Answer);
  });
}

async function readPiece(
  reader: BlockReader,
  piece: ReadPiece | undefined,
  { count, group }: ReadOrder,
): Promise<void> {
  assert(piece !== undefined, "a piece is shared before it is read");
  piece.count = count;
  piece.group = group;
  await reader.readBlocks(piece, piece.blocks, 0, piece.damaged);
}

async function outcome(act: () => Promise<void>): Promise<Omit<Answer, "id">> {
  try {
    await act();
    return {};
  } catch (error) {
    // A fault of this program is no answer: the thread ends with it.
    if (isOwnFault(error)) throw error;
    return { error: { isRetry: error instanceof RetryError, message: (error as Error).message } };
  }
}

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The other side. */
export class PieceThread implements PieceReader {
  readonly #thread: Thread;
  readonly #pieces = new Map<ReadPiece, number>();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #hasEnded = false;

  constructor(thread: Thread) {
    this.#thread = thread;
    thread.receive((message) => this.#answered(message as Answer));
    void thread.ended.then((error) => this.#ended(error));
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  read(piece: ReadPiece): Promise<void> {
    if (this.#hasEnded) return Promise.reject(new RetryError("a thread that reads the store has ended"));
    const id = ++this.#lastId;
    const { count, group } = piece;
    const order: ReadOrder = { word: "read", id, piece: this.#known(piece), count, group };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.set(id, { resolve, reject });
    this.#thread.send(order);
    return promise;
  }

  /** The store has it now: reads that are asked for from here on find it. */
  published(identity: SegmentIdentity): void {
    this.#thread.send({ word: "published", identity } satisfies Order);
  }

  removed(segment: number): void {
    this.#thread.send({ word: "removed", segment } satisfies Order);
  }

  end(): void {
    this.#thread.end();
  }

  #known(piece: ReadPiece): number {
    const known = this.#pieces.get(piece);
    if (known !== undefined) return known;
    const id = this.#pieces.size;
    this.#pieces.set(piece, id);
    this.#thread.send({ word: "piece", id, memory: piece.memory } satisfies Order);
    return id;
  }

  #answered({ id, error }: Answer): void {
    const pending = this.#pending.get(id);
    assert(pending !== undefined, "what was not asked is not answered");
    this.#pending.delete(id);
    if (error === undefined) pending.resolve();
    else pending.reject(error.isRetry ? new RetryError(error.message) : new StopError(error.message));
  }

  #ended(error: Error | undefined): void {
    this.#hasEnded = true;
    const why = new RetryError(`a thread that reads the store has ended: ${error?.message ?? "it was told to"}`);
    for (const { reject } of this.#pending.values()) reject(why);
    this.#pending.clear();
  }
}
