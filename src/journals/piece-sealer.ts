/** Seals an open metadata journal: one piece after the other, each behind the last, as the journal grows. */
import { StopError } from "#src/core/errors.ts";
import { previousEpochOf } from "#src/records/batch-inspection.ts";
import { recordType } from "#src/records/record.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import type { MetadataCursor } from "./metadata-cursor.ts";
import type { FoundUnit } from "./metadata-unit.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { SealedPieceBuilder, type SealedPieceParts } from "./sealed-piece-builder.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import type { PieceLink } from "./sealed-piece-format.ts";

/** What is needed of a `MetadataCursor`. */
export type UnitWalk = Pick<MetadataCursor, "expectedSeq" | "next" | "close">;

export interface PieceSealerParts extends SealedPieceParts {
  /** A walk over the open journal as it is now, that begins at or before this seq. */
  readonly walkFrom: (seq: number) => UnitWalk;
}

export class PieceSealer {
  readonly #parts: PieceSealerParts;
  #last: PieceLink | undefined;

  /** `previous` is the newest piece that is known to be there. */
  constructor(parts: PieceSealerParts) {
    this.#parts = parts;
    this.#last = parts.previous;
  }

  /** Up to there the records are sealed. */
  get sealedSeq(): number {
    return this.#last?.lastSeq ?? 0;
  }

  /**
   * Makes the next piece, of the records up to `lastSeq`, which are known to be there, and answers it as read again from the
   * store; one that is there already is taken as it is. Undefined: there is nothing more to seal. It may end before `lastSeq`,
   * where it is full or a batch goes on beyond. Throws a `StopError` where the journal or the piece that is there is
   * damaged. After a `RetryError` it can be called again.
   */
  async sealNext(lastSeq: number, nowMicros: number): Promise<SealedPiece | undefined> {
    const cursor = this.#parts.walkFrom(this.sealedSeq + 1);
    try {
      const units = this.#units(cursor, lastSeq);
      const first = units.next().value;
      if (first === undefined) return undefined;
      const piece = (await this.#pieceThatIsThere(first)) ?? (await this.#seal(first, units, nowMicros));
      const finding = chainFinding(this.#last, piece);
      if (finding !== undefined) throw new StopError(`${piece.name} is there, and does not follow: ${finding}`);
      this.#last = piece.link;
      return piece;
    } finally {
      cursor.close();
    }
  }

  /** It may have been published by one who was told otherwise, or who ended before he could tell. */
  async #pieceThatIsThere({ firstSeq }: FoundUnit): Promise<SealedPiece | undefined> {
    const { objects, group, key } = this.#parts;
    try {
      return await SealedPiece.open(objects, { group, firstSeq }, key);
    } catch (error) {
      if (error instanceof AbsentObjectError) return undefined;
      throw error;
    }
  }

  async #seal(first: FoundUnit, others: Iterable<FoundUnit>, nowMicros: number): Promise<SealedPiece> {
    const builder = new SealedPieceBuilder({ ...this.#parts, previous: this.#last }, first);
    try {
      await builder.add(first);
      for (const unit of others) {
        if (!builder.takes(unit)) break;
        await builder.add(unit);
      }
      const identity = await builder.finish(nowMicros);
      return await SealedPiece.open(this.#parts.objects, identity, this.#parts.key);
    } catch (error) {
      await builder.abandon();
      throw error;
    }
  }

  /** Those that are not sealed, and end at or before `lastSeq`. */
  *#units(cursor: UnitWalk, lastSeq: number): Generator<FoundUnit, undefined> {
    let isFirst = true;
    while (cursor.expectedSeq <= lastSeq) {
      const found = cursor.next();
      if (found.finding !== "sound") {
        throw new StopError(`the records from ${cursor.expectedSeq} to ${lastSeq} cannot be sealed: ${found.finding}`);
      }
      if (found.lastSeq <= this.sealedSeq) continue;
      if (isFirst && !this.#followsSealed(found)) {
        throw new StopError(
          `the sealed pieces end with record ${this.sealedSeq}, and the open journal goes on with ${found.firstSeq}`,
        );
      }
      isFirst = false;
      if (found.lastSeq > lastSeq) return undefined;
      yield found;
    }
    return undefined;
  }

  /** The walk has seen to the units behind the first one. */
  #followsSealed({ firstSeq, epoch, records, bytes }: FoundUnit): boolean {
    const last = this.#last;
    if (last === undefined || epoch === last.lastEpoch) return last === undefined || firstSeq === last.lastSeq + 1;
    const [first] = records;
    if (first?.type !== recordType.epoch || epoch < last.lastEpoch || firstSeq <= last.lastSeq) return false;
    const previous = previousEpochOf(bytes.subarray(first.extraAt, first.extraAt + first.extraBytes));
    return previous !== undefined && previous.lastSeq <= last.lastSeq;
  }
}
