/** Seals an open metadata journal: one piece after the other, each behind the last, as the journal grows. */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { previousEpochOf } from "#src/records/batch-inspection.ts";
import { recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { AbsentObjectError, type Objects } from "#src/store/objects.ts";
import type { MetadataCursor } from "./metadata-cursor.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import type { FoundUnit } from "./metadata-unit.ts";
import { isPieceRemade } from "./repair-piece.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { SealedPieceBuilder, type SealedPieceParts } from "./sealed-piece-builder.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import type { PieceLink, SealedPieceIdentity } from "./sealed-piece-format.ts";

/** What is needed of a `MetadataCursor`. */
export type UnitWalk = Pick<MetadataCursor, "expectedSeq" | "next" | "close">;

export interface PieceSealerParts extends SealedPieceParts {
  readonly objects: Objects;
  /** A walk over the open journal as it is now, that begins at or before this seq. */
  readonly walkFrom: (seq: number) => UnitWalk;
  /** Of each record, in their order, before the piece that has it is answered; perhaps again after an error. */
  readonly saw: (entry: MetadataEntry, extra: Buffer) => void;
  /** Rejects where what was seen may not be published: the store lacks what it points to. */
  readonly assertWhole: () => Promise<void>;
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
      const there = await this.#pieceThatIsThere(first);
      const piece = there ?? (await this.#seal(first, units, nowMicros));
      const finding = chainFinding(this.#last, piece);
      if (finding !== undefined) throw new StopError(`${piece.name} is there, and does not follow: ${finding}`);
      if (there !== undefined) for await (const record of there.records()) this.#parts.saw(record, record.extra);
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
      await this.#add(builder, first);
      for (const unit of others) {
        if (!builder.takes(unit)) break;
        await this.#add(builder, unit);
      }
      await this.#parts.assertWhole();
      const identity = await builder.finish(nowMicros);
      return await this.#readBack(identity);
    } catch (error) {
      await builder.abandon();
      if (!(error instanceof RefuseError)) throw error;
      // One that was told to have failed has come to be there after all.
      throw new RetryError(`a piece is there by now, and is looked at: ${error.message}`, { cause: error });
    }
  }

  /**
   * What does not come back as it was written gets back the bytes that it should have. It is never removed and made otherwise: a
   * removal may happen late, and take with it what has the name then.
   */
  async #readBack(identity: SealedPieceIdentity): Promise<SealedPiece> {
    try {
      return await this.#whole(identity);
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      const { objects, key, walkFrom } = this.#parts;
      const parts = { objects, key, expected: undefined, before: this.#last, walkFrom };
      if (!(await isPieceRemade(parts, identity))) throw error;
      return await this.#whole(identity);
    }
  }

  async #whole(identity: SealedPieceIdentity): Promise<SealedPiece> {
    const piece = await SealedPiece.open(this.#parts.objects, identity, this.#parts.key);
    await piece.verifyParts();
    return piece;
  }

  async #add(builder: SealedPieceBuilder, unit: FoundUnit): Promise<void> {
    for (const record of unit.records) {
      this.#parts.saw(record, unit.bytes.subarray(record.extraAt, record.extraAt + record.extraBytes));
    }
    await builder.add(unit);
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
