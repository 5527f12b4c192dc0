/**
 * Writes a sealed piece: pages of records as they fill up, then the index of blocks, which is made of all of them at the
 * end. It holds at most 88 bytes of memory for each record that touches blocks, and less than 4 MiB besides.
 *
 * Invariant: what was added lies in pages and in the open one, in its order, aggregates whole.
 */
import { assert } from "#src/core/assert.ts";
import {
  foldedPieceRecordsMax,
  sealedPageRecordsMax,
  sealedPiecePagesMax,
  sealedPieceRecordsMax,
} from "#src/core/store-limits.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import type { Objects } from "#src/store/objects.ts";
import { type PartType, partType } from "#src/store/part.ts";
import { extentOf } from "./block-extent.ts";
import { BlockTouches } from "./block-touches.ts";
import { ExtentPageBuilder } from "./extent-page.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import type { FoundUnit } from "./metadata-unit.ts";
import { RecordPageBuilder } from "./record-page-builder.ts";
import {
  encodePieceNumbers,
  type FoldedIdentity,
  objectOfPiece,
  PieceDigest,
  type PieceFolding,
  type PieceLink,
  type SealedPieceIdentity,
  sealedPieceName,
} from "./sealed-piece-format.ts";
import { type ExtentPagePlace, encodePieceTable, type RecordPagePlace } from "./sealed-piece-table.ts";

/** A batch of records, or an aggregate with all of its own. */
export type SealedUnit = Pick<FoundUnit, "firstSeq" | "isAggregate" | "records" | "bytes">;

export interface SealedPieceParts {
  readonly objects: Pick<Objects, "create">;
  readonly randomness: Randomness;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  readonly group: string;
  /** Undefined: there is no piece before. */
  readonly previous: PieceLink | undefined;
  /** Absent: it is sealed of the journal. */
  readonly fold?: PieceFold;
}

/** What a folded piece is. */
export interface PieceFold extends PieceFolding, FoldedIdentity {
  /** The seconds between its points. */
  readonly level: number;
}

/** Pages that one unit may take: a largest aggregate's, or as many as the longest extra parts of a batch fill. */
const unitPagesMax = 32;

export class SealedPieceBuilder {
  readonly #parts: SealedPieceParts;
  readonly #identity: SealedPieceIdentity;
  readonly #object: ObjectBuilder;
  readonly #page: RecordPageBuilder;
  readonly #touches = new BlockTouches();
  readonly #digest = new PieceDigest();
  readonly #recordPages: RecordPagePlace[] = [];
  readonly #extentPages: ExtentPagePlace[] = [];
  readonly #firstEpoch: number;
  #recordCount = 0;
  #extentCount = 0;
  #earliestMicros = Number.POSITIVE_INFINITY;
  #latestMicros = 0;
  #coarseLevel = 0;

  /** The piece begins with this unit, which still has to be added. Nothing may be there of its name. */
  constructor(parts: SealedPieceParts, { firstSeq, records }: SealedUnit) {
    const [first] = records;
    assert(first !== undefined, "a piece begins with a record");
    this.#parts = parts;
    const { group, fold } = parts;
    const folded = fold === undefined ? {} : { folded: { lastSeq: fold.lastSeq, generation: fold.generation } };
    this.#identity = { group, firstSeq, ...folded };
    this.#firstEpoch = first.epoch;
    const place = { seq: firstSeq - 1, epoch: first.epoch, timeMicros: first.timeMicros, isInAggregate: false };
    this.#page = new RecordPageBuilder(place);
    const facts = { ...objectOfPiece(this.#identity), level: fold?.level ?? 0 };
    const { randomness, key } = parts;
    this.#object = new ObjectBuilder(parts.objects.create(sealedPieceName(this.#identity)), { facts, randomness, key });
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** What there is of the object so far: records, and nothing of the index. */
  get sizeBytes(): number {
    return this.#object.sizeBytes;
  }

  takes({ records }: SealedUnit): boolean {
    const unitPages = Math.max(unitPagesMax, Math.ceil(records.length / sealedPageRecordsMax) + 1);
    const recordsMax = this.#parts.fold === undefined ? sealedPieceRecordsMax : foldedPieceRecordsMax;
    return (
      this.#recordPages.length + unitPages < sealedPiecePagesMax && this.#recordCount + records.length <= recordsMax
    );
  }

  /** It follows the one before. Throws a `StopError` for a resize that says no size. */
  async add(unit: SealedUnit): Promise<void> {
    assert(this.takes(unit), "a piece is bounded");
    const { records, bytes, isAggregate } = unit;
    for (const { extraAt, ...entry } of records) {
      const extent = extentOf(entry, bytes.subarray(extraAt, extraAt + entry.extraBytes));
      if (!this.#page.takes(entry)) await this.#writePage();
      this.#page.add({ ...entry, isAggregated: isAggregate }, bytes, extraAt);
      if (extent !== undefined) this.#touches.add(extent);
      this.#count(entry);
    }
  }

  #count({ blockCount, timeMicros, level }: MetadataEntry): void {
    this.#recordCount++;
    // What is folded is folded to its level.
    if (blockCount > 0 && this.#parts.fold === undefined) this.#coarseLevel = Math.max(this.#coarseLevel, level);
    this.#earliestMicros = Math.min(this.#earliestMicros, timeMicros);
    this.#latestMicros = Math.max(this.#latestMicros, timeMicros);
  }

  async #writePage(): Promise<void> {
    const { count, place } = this.#page;
    const storedBytes = await this.#addPart(partType.records, this.#recordPages.length, this.#page.finish());
    const { seq: lastSeq, timeMicros } = place;
    const offset = this.#object.sizeBytes - storedBytes;
    this.#recordPages.push({ offset, storedBytes, recordCount: count, lastSeq, timeMicros });
  }

  /** Answers what it takes in the object. */
  async #addPart(type: PartType, number: number, content: Buffer): Promise<number> {
    this.#digest.add(type, number, content);
    const { storedBytes } = this.#object.addPart(type, number, content, 0, content.length);
    if (this.#object.isFull) await this.#object.flush();
    return storedBytes;
  }

  /** The piece is in the store when this resolves; if it rejects, it may be nevertheless. */
  async finish(nowMicros: number): Promise<SealedPieceIdentity> {
    const { isInAggregate } = this.#page.place;
    assert(this.#recordCount > 0 && !isInAggregate, "a piece has records, and aggregates whole");
    await this.#writePage();
    await this.#writeExtents();
    const table = encodePieceTable({
      previous: this.#parts.previous,
      digest: this.#digest.finish(),
      recordPages: this.#recordPages,
      extentPages: this.#extentPages,
      folding: this.#parts.fold,
    });
    const { seq: lastSeq, epoch: lastEpoch } = this.#page.place;
    const [recordCount, extentCount, firstEpoch] = [this.#recordCount, this.#extentCount, this.#firstEpoch];
    const times = { earliestMicros: this.#earliestMicros, latestMicros: this.#latestMicros };
    const numbers = {
      lastSeq,
      ...times,
      recordCount,
      extentCount,
      firstEpoch,
      lastEpoch,
      coarseLevel: this.#coarseLevel,
    };
    const kindNumbers = encodePieceNumbers(numbers);
    await this.#object.finish({ table, kindNumbers, timeMicros: nowMicros });
    return this.#identity;
  }

  async #writeExtents(): Promise<void> {
    const page = new ExtentPageBuilder();
    let first: { readonly volume: number; readonly startBlock: number } | undefined;
    for (const extent of this.#touches.extents()) {
      if (first !== undefined && page.isFull) {
        await this.#writeExtentPage(page, first);
        first = undefined;
      }
      first ??= extent;
      page.add(extent);
    }
    if (first !== undefined) await this.#writeExtentPage(page, first);
  }

  async #writeExtentPage(
    page: ExtentPageBuilder,
    { volume, startBlock }: { readonly volume: number; readonly startBlock: number },
  ): Promise<void> {
    const extentCount = page.count;
    const storedBytes = await this.#addPart(partType.extents, this.#extentPages.length, page.finish());
    const offset = this.#object.sizeBytes - storedBytes;
    this.#extentPages.push({ offset, storedBytes, extentCount, volume, startBlock });
    this.#extentCount += extentCount;
  }

  /** Nothing of it stays. */
  async abandon(): Promise<void> {
    await this.#object.abandon();
  }
}
