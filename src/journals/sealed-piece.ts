/**
 * Reads a sealed piece: its records in their order, what they say of a block, of a block at some seq, and of all blocks of
 * a volume. Everything is checked; what is not as it was written is an `ObjectDamageError` that names the part. Any number of
 * reads may be under way. It keeps its table in memory, which is 20 bytes or less for each page, and one page of the index.
 */
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { type PartType, partType } from "#src/store/part.ts";
import { readAgain } from "#src/store/read-again.ts";
import { type BlockExtent, extentOf, extentPart, holds } from "./block-extent.ts";
import { decodeExtentPage } from "./extent-page.ts";
import type { JournalRecord } from "./journal-reader.ts";
import { decodeRecordPage, type RecordPage, type RecordPageSurvey, surveyRecordPage } from "./record-page-reader.ts";
import {
  decodePieceNumbers,
  objectOfPiece,
  PieceDigest,
  type PieceFolding,
  type PieceLink,
  pieceHashOf,
  type SealedPieceIdentity,
  type SealedPieceNumbers,
  sealedPieceName,
} from "./sealed-piece-format.ts";
import { decodePieceTable, endOfPieceParts, type PagePlace, type SealedPieceTable } from "./sealed-piece-table.ts";

export class SealedPiece {
  readonly identity: SealedPieceIdentity;
  readonly numbers: SealedPieceNumbers;
  readonly #file: ObjectFile;
  readonly #table: SealedPieceTable;
  #link: PieceLink | undefined;
  /** The page of the index that was read last. */
  #extents: { readonly number: number; readonly extents: readonly BlockExtent[] } | undefined;

  private constructor(
    identity: SealedPieceIdentity,
    file: ObjectFile,
    numbers: SealedPieceNumbers,
    table: SealedPieceTable,
  ) {
    this.identity = identity;
    this.numbers = numbers;
    this.#file = file;
    this.#table = table;
  }

  /** `key` is the store's. Throws as `ObjectFile.open` does. */
  static async open(
    objects: ObjectSource,
    identity: SealedPieceIdentity,
    key: Buffer | undefined,
  ): Promise<SealedPiece> {
    const open = () => ObjectFile.open(objects, sealedPieceName(identity), objectOfPiece(identity), key);
    const file = await readAgain(open);
    const numbers = decodePieceNumbers(file.footer.kindNumbers);
    if (numbers === undefined) throw new ObjectDamageError(file.name, "footer", "its numbers are none of a piece");
    const table = decodePieceTable(file.table);
    if (table === undefined || !agree(identity, numbers, table, file.footer.tableAt)) {
      throw tableDamage(file, "it says what cannot be");
    }
    return new SealedPiece(identity, file, numbers, table);
  }

  get name(): string {
    return this.#file.name;
  }

  get sizeBytes(): number {
    return this.#file.footer.sizeBytes;
  }

  /** What it says of the piece before it. Undefined: there was none. */
  get previous(): PieceLink | undefined {
    return this.#table.previous;
  }

  /** What the next piece says of this one; of a folded one what it says of the last piece that this one takes the place of. */
  get link(): PieceLink {
    const { lastSeq, lastEpoch } = this.numbers;
    const { standsFor } = this.#table.folding ?? {};
    this.#link ??= { ...(standsFor ?? { hash: this.hash, firstSeq: this.identity.firstSeq }), lastSeq, lastEpoch };
    return this.#link;
  }

  /** Its own, whatever others know it by. */
  get hash(): Buffer {
    return pieceHashOf(this.#file);
  }

  /** Undefined: it was sealed of the journal. */
  get folding(): PieceFolding | undefined {
    return this.#table.folding;
  }

  /** The seconds between its points, where it is folded; 0: it has those that the journal had. */
  get level(): number {
    return this.#file.header.level;
  }

  /** Whether the piece of this link is this one, or one of those that it takes the place of. */
  standsFor(link: PieceLink): boolean {
    if (this.link.hash.equals(link.hash)) return true;
    const replaced = this.folding?.replaced.find(({ lastSeq }) => lastSeq >= link.lastSeq);
    if (replaced === undefined || replaced.firstSeq > link.firstSeq) return false;
    // What a folded piece took the place of before is not listed twice.
    return replaced.generation > 0 || (replaced.hash.equals(link.hash) && replaced.lastSeq === link.lastSeq);
  }

  /** The records behind `afterSeq` in their order. An aggregate's have its last seq. */
  async *records(afterSeq = 0): AsyncGenerator<JournalRecord, void> {
    for await (const { records } of this.#recordPages(afterSeq)) {
      for (const record of records) if (record.seq > afterSeq) yield record;
    }
  }

  async *#recordPages(afterSeq: number): AsyncGenerator<RecordPage, void> {
    const pages = this.#table.recordPages;
    let last: RecordPage | undefined;
    for (
      let number = firstIndex(pages.length, (index) => lastSeqOf(pages[index]) > afterSeq);
      number < pages.length;
      number++
    ) {
      const page: RecordPage = await this.recordPage(number);
      if (last !== undefined && last.end.isInAggregate !== page.start.isInAggregate) {
        throw this.#damage(partType.records, number, pages[number], "it does not follow the page before");
      }
      last = page;
      yield page;
    }
    const number = pages.length - 1;
    if (last?.end.isInAggregate === true) {
      throw this.#damage(partType.records, number, pages[number], "its last aggregate has no end");
    }
  }

  get recordPageCount(): number {
    return this.#table.recordPages.length;
  }

  get extentPageCount(): number {
    return this.#table.extentPages.length;
  }

  /** Of each page of the index, with what it begins. */
  get extentPagePlaces(): readonly BlockPlace[] {
    return this.#table.extentPages;
  }

  /** Which records a page has, by its number, and what it takes in the object. */
  recordPagePlace(number: number): {
    readonly firstSeq: number;
    readonly lastSeq: number;
    /** Of the last. */
    readonly timeMicros: number;
    readonly recordCount: number;
    readonly storedBytes: number;
  } {
    const { lastSeq, timeMicros, recordCount, storedBytes } = this.#table.recordPages[
      number
    ] as SealedPieceTable["recordPages"][number];
    const firstSeq = number === 0 ? this.identity.firstSeq : lastSeqOf(this.#table.recordPages[number - 1]);
    return { firstSeq, lastSeq, timeMicros, recordCount, storedBytes };
  }

  /** By its number. */
  async recordPage(number: number): Promise<RecordPage> {
    const place = this.#table.recordPages[number] as SealedPieceTable["recordPages"][number];
    const page = decodeRecordPage(await this.#read(partType.records, number, place));
    const startSeq = number === 0 ? this.identity.firstSeq - 1 : lastSeqOf(this.#table.recordPages[number - 1]);
    const isIt =
      page !== undefined &&
      page.records.length === place.recordCount &&
      page.start.seq === startSeq &&
      page.end.seq === place.lastSeq;
    if (!isIt) throw this.#damage(partType.records, number, place, "it does not hold the records that it should");
    return page;
  }

  /** The same at a part of the cost, for whoever may not need the records themselves. */
  async recordPageSurvey(number: number): Promise<RecordPageSurvey> {
    const place = this.#table.recordPages[number] as SealedPieceTable["recordPages"][number];
    const survey = surveyRecordPage(await this.#read(partType.records, number, place));
    if (survey?.recordCount === place.recordCount) return survey;
    throw this.#damage(partType.records, number, place, "it does not hold the records that it should");
  }

  #read(type: PartType, number: number, { offset, storedBytes }: PagePlace): Promise<Buffer> {
    return readAgain(() => this.#file.readNewPart({ type, number, offset, storedBytes }));
  }

  #damage(type: PartType, number: number, place: PagePlace | undefined, finding: string): ObjectDamageError {
    return new ObjectDamageError(this.#file.name, { ...(place as PagePlace), type, number }, finding);
  }

  /**
   * What the piece's records, all applied, say of this block and of those behind it, as far as one record decides on them.
   * Undefined: they do not touch it. One small read, or none if the one before was near.
   */
  async lookup(volume: number, block: number): Promise<BlockExtent | undefined> {
    const extents = await this.extentPage(this.#extentPageOf(volume, block));
    const behind = firstIndex(extents.length, (index) => isBehind(extents[index] as BlockExtent, volume, block));
    const extent = extents[behind - 1];
    if (extent === undefined || !holds(extent, volume, block)) return undefined;
    return extentPart(extent, block, extent.startBlock + extent.blockCount - block);
  }

  /** The last page that begins at or before the block; the first one where none does. */
  #extentPageOf(volume: number, block: number): number {
    const pages = this.#table.extentPages;
    const behind = firstIndex(pages.length, (index) => isBehind(pages[index] as BlockPlace, volume, block));
    return Math.max(0, behind - 1);
  }

  /** No more than so many extents of its index are of this volume. */
  extentsAtMost(volume: number): number {
    const pages = this.#table.extentPages;
    let count = 0;
    for (const [index, page] of pages.entries()) {
      const next = pages[index + 1];
      if (page.volume <= volume && (next === undefined || next.volume >= volume)) count += page.extentCount;
    }
    return count;
  }

  /** By its number. They are kept until another page is read. */
  async extentPage(number: number): Promise<readonly BlockExtent[]> {
    const place = this.#table.extentPages[number];
    if (place === undefined) return [];
    if (this.#extents?.number === number) return this.#extents.extents;
    const extents = decodeExtentPage(await this.#read(partType.extents, number, place));
    const [first] = extents ?? [];
    const isIt =
      extents?.length === place.extentCount && first?.volume === place.volume && first.startBlock === place.startBlock;
    if (!isIt) throw this.#damage(partType.extents, number, place, "it does not hold the extents that it should");
    this.#extents = { number, extents };
    return extents;
  }

  /**
   * What the records up to `seq` say of this one block; within an aggregate, those before it. Where a later record touches the
   * block too, pages of records are read, from `seq` back to the one that says it.
   */
  async lookupAsOf(volume: number, block: number, seq: number): Promise<BlockExtent | undefined> {
    const atEnd = await this.lookup(volume, block);
    if (atEnd === undefined) return undefined;
    if (atEnd.seq <= seq) return extentPart(atEnd, block, 1);
    const pages = this.#table.recordPages;
    const behind = firstIndex(pages.length, (index) => lastSeqOf(pages[index]) > seq);
    for (let number = Math.min(behind, pages.length - 1); number >= 0; number--) {
      const { records } = await this.recordPage(number);
      for (let index = records.length - 1; index >= 0; index--) {
        const record = records[index] as JournalRecord;
        const extent = record.volume === volume && record.seq <= seq ? extentOf(record, record.extra) : undefined;
        if (extent !== undefined && holds(extent, volume, block)) return extentPart(extent, block, 1);
      }
    }
    return undefined;
  }

  /** What the piece's records, all applied, say of the volume's blocks, from `fromBlock` on, in their order. */
  async *scan(volume: number, fromBlock = 0): AsyncGenerator<BlockExtent, void> {
    for (let number = this.#extentPageOf(volume, fromBlock); number < this.#table.extentPages.length; number++) {
      for (const extent of await this.extentPage(number)) {
        if (extent.volume > volume) return;
        const end = extent.startBlock + extent.blockCount;
        if (extent.volume < volume || end <= fromBlock) continue;
        const start = Math.max(extent.startBlock, fromBlock);
        yield extentPart(extent, start, end - start);
      }
    }
  }

  /** The seq of the last record that was made at this time or before; undefined: all were later. */
  async lastSeqAt(timeMicros: number): Promise<number | undefined> {
    const pages = this.#table.recordPages;
    const number = firstIndex(pages.length, (index) => (pages[index]?.timeMicros ?? 0) > timeMicros);
    const page = number < pages.length ? await this.recordPage(number) : undefined;
    const found = page?.records.findLast((record) => record.timeMicros <= timeMicros)?.seq;
    return found ?? pages[number - 1]?.lastSeq;
  }

  /** Reads all of it. Throws where anything is not as it was written. */
  async verify(): Promise<void> {
    await this.verifyParts();
    for await (const _ of this.records());
    for (let number = 0; number < this.#table.extentPages.length; number++) await this.extentPage(number);
  }

  /** Reads all of it, and looks whether these are the parts that it was made of, not into them. */
  async verifyParts(): Promise<void> {
    await readAgain(() => this.#verifyContents());
  }

  async #verifyContents(): Promise<void> {
    const digest = new PieceDigest();
    for await (const part of this.#file.parts()) {
      if (part instanceof ObjectDamageError) throw part;
      if (part.type !== partType.table) digest.add(part.type, part.number, part.content);
    }
    if (!digest.finish().equals(this.#table.digest)) {
      throw tableDamage(this.#file, "the parts are not those that it was made for");
    }
  }
}

function tableDamage({ name, footer }: ObjectFile, finding: string): ObjectDamageError {
  const { tableAt: offset, tableBytes: storedBytes } = footer;
  return new ObjectDamageError(name, { type: partType.table, number: 0, offset, storedBytes }, finding);
}

interface BlockPlace {
  readonly volume: number;
  readonly startBlock: number;
}

function isBehind(place: BlockPlace, volume: number, block: number): boolean {
  return place.volume > volume || (place.volume === volume && place.startBlock > block);
}

function lastSeqOf(page: { readonly lastSeq: number } | undefined): number {
  return page?.lastSeq ?? 0;
}

/** The first of which it holds, as it does of all behind it; `count` where it holds of none. */
function firstIndex(count: number, holdsAt: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holdsAt(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether name, footer and table are of one piece. */
function agree(
  { firstSeq, folded }: SealedPieceIdentity,
  numbers: SealedPieceNumbers,
  table: SealedPieceTable,
  tableAt: number,
): boolean {
  const { recordPages, extentPages, previous } = table;
  const recordCount = recordPages.reduce((sum, page) => sum + page.recordCount, 0);
  const extentCount = extentPages.reduce((sum, page) => sum + page.extentCount, 0);
  return (
    firstSeq <= numbers.lastSeq &&
    numbers.lastSeq === lastSeqOf(recordPages.at(-1)) &&
    numbers.recordCount === recordCount &&
    numbers.extentCount === extentCount &&
    endOfPieceParts(table) === tableAt &&
    numbers.lastSeq === (folded?.lastSeq ?? numbers.lastSeq) &&
    (folded === undefined ? table.folding === undefined : foldsAll(table.folding, firstSeq, numbers.lastSeq)) &&
    (previous === undefined || previous.lastSeq < firstSeq)
  );
}

function foldsAll(folding: PieceFolding | undefined, firstSeq: number, lastSeq: number): boolean {
  return folding?.replaced[0]?.firstSeq === firstSeq && folding.replaced.at(-1)?.lastSeq === lastSeq;
}
