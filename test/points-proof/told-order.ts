/**
 * The order that a volume's changes were given, joined of two witnesses: the relay's log, which has what the host asked, with
 * its bytes, and the heads of the spool's records, which have the seqs. Each record must be of a change that was passed on, and
 * each change must become all of its records, in an order that the host could have seen: what was answered before another was
 * asked comes before it. Everything else throws.
 */
import type { ChangePiece, HostLog } from "./host-log.ts";
import { piecesOf } from "./host-log.ts";
import type { RecordHead } from "./spool-tail.ts";

const lastChangeType = 3;

interface Waiting {
  readonly pieces: readonly ChangePiece[];
  done: number;
}

export class ToldOrder {
  readonly #log: HostLog;
  readonly #sizeBytes: number;
  readonly #pieces: ChangePiece[] = [];
  readonly #seqs: number[] = [];
  /** Passed on, and not all in the order yet; in the order of passing. */
  #waiting: Waiting[] = [];
  #looked = 0;
  readonly #others: RecordHead[] = [];
  #lastSeq = 0;

  constructor(log: HostLog, sizeBytes: number) {
    this.#log = log;
    this.#sizeBytes = sizeBytes;
  }

  /** Of the last record that was taken. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get pieces(): readonly ChangePiece[] {
    return this.#pieces;
  }

  /** Records that change no block, such as flushes, marks and modes. */
  get others(): readonly RecordHead[] {
    return this.#others;
  }

  /** Undefined: it is not in the order yet. */
  seqOf(index: number): number | undefined {
    return this.#seqs[index];
  }

  /** How many pieces are in the order up to a seq. */
  countUpTo(seq: number): number {
    let [low, high] = [0, this.#seqs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seqs[middle] as number) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  take(heads: readonly RecordHead[]): void {
    for (const { changes } = this.#log; this.#looked < changes.length; this.#looked++) {
      const change = changes[this.#looked];
      if (change !== undefined) this.#waiting.push({ pieces: piecesOf(change, this.#sizeBytes), done: 0 });
    }
    for (const head of heads) {
      this.#lastSeq = head.seq;
      if (head.type > lastChangeType) this.#others.push(head);
      else this.#takeChange(head);
    }
  }

  /** Throws unless all that was answered is in the order. Nothing may be under way. */
  checkWhole(): void {
    this.take([]);
    this.#leaveFailed();
    const [first] = this.#waiting;
    if (first !== undefined) throw new Error(`${wordsOf(first)} was answered, and is not in the order`);
  }

  #takeChange(head: RecordHead): void {
    this.#leaveFailed();
    const at = this.#waiting.findIndex(({ pieces, done }) => isOf(head, pieces[done]));
    const found = this.#waiting[at];
    const piece = found?.pieces[found.done];
    if (found === undefined || piece === undefined) {
      throw new Error(`seq ${head.seq} is nothing that the host asked: ${JSON.stringify(head)}`);
    }
    const early = this.#waiting.slice(0, at).find((it) => it.pieces[0] && answeredBefore(it.pieces[0], piece));
    if (early !== undefined) {
      throw new Error(
        `seq ${head.seq}, ${wordsOf(found)}, comes before ${wordsOf(early)}, answered before it was asked`,
      );
    }
    this.#pieces.push(piece);
    this.#seqs.push(head.seq);
    found.done++;
    if (found.done === found.pieces.length) this.#waiting.splice(at, 1);
  }

  /** Those of which nothing is to be found: refused, or of no whole block. */
  #leaveFailed(): void {
    const isOut = ({ pieces, done }: Waiting): boolean => {
      if (pieces.length === 0) return true;
      return done === 0 && pieces[0]?.change.hasFailed === true;
    };
    if (this.#waiting.some(isOut)) this.#waiting = this.#waiting.filter((waiting) => !isOut(waiting));
  }
}

function isOf(head: RecordHead, piece: ChangePiece | undefined): boolean {
  return (
    piece !== undefined &&
    head.type === piece.type &&
    head.startBlock === piece.startBlock &&
    head.blockCount === piece.blockCount
  );
}

function answeredBefore(early: ChangePiece, late: ChangePiece): boolean {
  return early.change.answeredAt < late.change.passedAt;
}

function wordsOf({ pieces: [piece] }: Waiting): string {
  return piece === undefined
    ? "nothing"
    : `the ${piece.change.kind} of ${piece.change.length} at ${piece.change.offset}`;
}
