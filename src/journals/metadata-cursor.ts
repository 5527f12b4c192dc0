/**
 * Walks over the records of a metadata journal in their order, from piece to piece, for as long as each batch follows the
 * one before. What it means that one does not is for others to say. An aggregate is walked over as one, or is not there.
 */
import { logFileHeaderBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { type PreviousEpoch, previousEpochOf } from "#src/records/batch-inspection.ts";
import type { LogFinding } from "#src/records/log-recovery-table.ts";
import { recordType } from "#src/records/record.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { type JournalStart, wholeJournal } from "./journal-start.ts";
import { type JournalIdentity, MetadataPiece } from "./metadata-piece.ts";
import { type FoundUnit, plainUnitAt, unitAt } from "./metadata-unit.ts";

/** Where a walk stands between two units. */
export interface CursorPlace {
  /** Of the piece. */
  readonly basePosition: number;
  readonly offset: number;
  readonly expectedSeq: number;
  readonly epoch: number;
}

/** Where the walk ended. Without a piece: there is none. */
export interface CursorEnd {
  readonly finding: Exclude<LogFinding, "sound">;
  readonly basePosition: number;
  readonly offset: number;
}

export class MetadataCursor {
  readonly #files: Files;
  readonly #folder: JournalFolder;
  readonly #identity: JournalIdentity;
  readonly #basePositions: readonly number[];
  #pieceIndex: number;
  #piece: MetadataPiece | undefined;
  #offset = logFileHeaderBytes;
  #unitAt = unitAt;
  #expectedSeq: number;
  #epoch = 0;

  /** Begins with the last piece that begins at or before `seq`. `start`: what was there before the first piece. */
  constructor(
    files: Files,
    folder: JournalFolder,
    identity: JournalIdentity,
    seq: number,
    start: JournalStart = wholeJournal,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#identity = identity;
    this.#basePositions = folder.pieces(files);
    this.#pieceIndex = this.#indexFor(seq);
    this.#expectedSeq = this.#openPiece()?.header?.firstSeq ?? start.seq + 1;
    if (this.#expectedSeq === start.seq + 1) this.#epoch = start.epoch;
  }

  /** Goes on where another walk stood. Undefined: the piece that it stood in is gone. */
  static from(
    files: Files,
    folder: JournalFolder,
    identity: JournalIdentity,
    { basePosition, offset, expectedSeq, epoch }: CursorPlace,
  ): MetadataCursor | undefined {
    const cursor = new MetadataCursor(files, folder, identity, expectedSeq);
    cursor.close();
    cursor.#pieceIndex = cursor.#basePositions.indexOf(basePosition);
    if (cursor.#pieceIndex < 0) return undefined;
    cursor.#offset = offset;
    cursor.#expectedSeq = expectedSeq;
    cursor.#epoch = epoch;
    return cursor;
  }

  /** From here on units may have `plain` in place of their records. */
  takePlain(): void {
    this.#unitAt = plainUnitAt;
  }

  /** Undefined: there is nothing to stand in yet. */
  get place(): CursorPlace | undefined {
    if (this.#piece === undefined) return undefined;
    const { basePosition } = this.#piece;
    return { basePosition, offset: this.#offset, expectedSeq: this.#expectedSeq, epoch: this.#epoch };
  }

  /** The seq that comes next unless an epoch begins there. */
  get expectedSeq(): number {
    return this.#expectedSeq;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Of the piece that the last unit lay in. */
  get basePosition(): number {
    return this.#piece?.basePosition ?? 0;
  }

  #indexFor(seq: number): number {
    for (let index = this.#basePositions.length - 1; index > 0; index--) {
      const piece = this.#pieceAt(index);
      const firstSeq = piece.header?.firstSeq;
      piece.close();
      if (firstSeq !== undefined && firstSeq <= seq) return index;
    }
    return 0;
  }

  #pieceAt(index: number): MetadataPiece {
    return new MetadataPiece(this.#files, this.#folder, this.#basePositions[index] as number, this.#identity);
  }

  #openPiece(): MetadataPiece | undefined {
    if (this.#piece === undefined && this.#pieceIndex < this.#basePositions.length) {
      this.#piece = this.#pieceAt(this.#pieceIndex);
    }
    return this.#piece;
  }

  /** The next batch or aggregate, or why there is none. */
  next(): FoundUnit | CursorEnd {
    for (;;) {
      const piece = this.#openPiece();
      if (piece === undefined) return { finding: "nothing", basePosition: 0, offset: 0 };
      const { basePosition } = piece;
      const found = piece.header === undefined ? headerFinding(piece) : this.#unitAt(piece, this.#offset);
      const finding = found.finding === "sound" ? this.#judge(found) : found.finding;
      if (found.finding === "sound" && finding === "sound") {
        this.#offset = found.nextOffset;
        this.#expectedSeq = found.lastSeq + 1;
        this.#epoch = found.epoch;
        return found;
      }
      if (!this.#goOnInNextPiece()) {
        return { finding: finding as CursorEnd["finding"], basePosition, offset: this.#offset };
      }
    }
  }

  #judge(found: FoundUnit): LogFinding {
    const { epoch, firstSeq } = found;
    const previous = previousOf(found);
    const isJump = previous !== undefined && epoch !== this.#epoch;
    if (!isJump) {
      if (this.#epoch !== 0 && epoch !== this.#epoch) return "foreignEpoch";
      return firstSeq === this.#expectedSeq ? "sound" : "gap";
    }
    // The records that the epoch follows must be here; there may be some behind them, which only the remote knows.
    const isLegal = epoch > this.#epoch && previous.lastSeq < this.#expectedSeq;
    if (!isLegal) return "foreignEpoch";
    return firstSeq >= this.#expectedSeq ? "sound" : "gap";
  }

  /** Whatever is left in a piece does not count where the next one says that it begins with the record that is due. */
  #goOnInNextPiece(): boolean {
    if (this.#pieceIndex + 1 >= this.#basePositions.length) return false;
    const next = this.#pieceAt(this.#pieceIndex + 1);
    if (next.header?.firstSeq !== this.#expectedSeq) {
      next.close();
      return false;
    }
    this.close();
    this.#piece = next;
    this.#pieceIndex++;
    this.#offset = logFileHeaderBytes;
    return true;
  }

  close(): void {
    this.#piece?.close();
    this.#piece = undefined;
  }
}

function previousOf({ records, bytes }: FoundUnit): PreviousEpoch | undefined {
  const first = records[0];
  if (first?.type !== recordType.epoch) return undefined;
  return previousEpochOf(bytes.subarray(first.extraAt, first.extraAt + first.extraBytes));
}

function headerFinding(piece: MetadataPiece): { readonly finding: "nothing" | "brokenHeader" } {
  return { finding: piece.sizeBytes === 0 ? "nothing" : "brokenHeader" };
}
