/**
 * A sealed piece as a layer, as of a record within it or of its end. Mostly its index of blocks says it: also within the piece it
 * is right about blocks that no later record touches. For the others, and where the index is damaged, the piece's records are
 * gone through once, up to that record.
 *
 * Damage: where a page of the index is damaged the records stand in for it. Where a page of records is damaged too, or alone,
 * what it could have touched is unknown: blocks of which the index says a later record, and no record behind the damage another.
 */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { endOfBlocks, extentOf } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import type { RecordPage } from "#src/journals/record-page-reader.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ExtentRows, firstBehind } from "./extent-rows.ts";
import { type ImageLayer, type LayerAnswer, says } from "./image-layer.ts";
import { type PagePlace, PageSlot } from "./page-slot.ts";

/** A piece with what of its index is in memory, for all images together. */
export class HeldPiece {
  readonly piece: SealedPiece;
  readonly #place: PagePlace;
  readonly #indexes = new Map<number, VolumeIndex>();

  constructor(piece: SealedPiece, place: PagePlace) {
    this.piece = piece;
    this.#place = place;
  }

  indexOf(volume: number): VolumeIndex {
    const known = this.#indexes.get(volume);
    if (known !== undefined) return known;
    const index = new VolumeIndex(this.piece, volume, this.#place);
    this.#indexes.set(volume, index);
    return index;
  }
}

/** The pages of a piece's index that speak of a volume. */
class VolumeIndex {
  /** From where on each page is asked. */
  readonly starts: Float64Array;
  readonly pages: readonly PageSlot<ExtentRows>[];

  constructor(piece: SealedPiece, volume: number, place: PagePlace) {
    const starts: number[] = [];
    const pages: PageSlot<ExtentRows>[] = [];
    const places = piece.extentPagePlaces;
    for (const [number, page] of places.entries()) {
      const next = places[number + 1];
      if (page.volume > volume) break;
      if (page.volume < volume && next !== undefined && isBefore(next, volume)) continue;
      starts.push(page.volume === volume ? page.startBlock : 0);
      pages.push(new PageSlot(place, async () => ExtentRows.of(await piece.extentPage(number), volume)));
    }
    this.starts = Float64Array.from(starts);
    this.pages = pages;
  }
}

/** Whether nothing of the volume can lie before this place. */
function isBefore(next: { readonly volume: number; readonly startBlock: number }, volume: number): boolean {
  return next.volume < volume || (next.volume === volume && next.startBlock === 0);
}

/** What the records up to one say. */
interface RecordsSay {
  readonly rows: ExtentRows;
  /** Of the last of them that cannot be read; 0: all can. */
  readonly damagedSeq: number;
  /** Of the same, what was found. */
  readonly finding: string | undefined;
  readonly sizeBytes: number;
}

/** Of one image. */
export class PieceLayer implements ImageLayer {
  readonly #index: VolumeIndex;
  readonly #seq: number;
  readonly #records: PageSlot<RecordsSay>;
  #isClosed = false;
  /** Of these blocks the index says nothing. */
  #nothingStart = 0;
  #nothingEnd = 0;

  /** `seq`: of the image. */
  constructor(held: HeldPiece, volume: number, seq: number, place: PagePlace) {
    const { piece } = held;
    this.#index = held.indexOf(volume);
    this.#seq = seq;
    const own = { ...place, isGone: () => this.#isClosed };
    this.#records = new PageSlot(own, () => readRecords(piece, volume, seq, place));
  }

  close(): void {
    this.#isClosed = true;
  }

  look(block: number, answer: LayerAnswer): Promise<void> | undefined {
    if (block >= this.#nothingStart && block < this.#nothingEnd) {
      answer.nothingUntil(this.#nothingEnd);
      return undefined;
    }
    const waiting = this.#lookInIndex(block, answer);
    if (waiting !== undefined) return waiting;
    if (answer.says === says.nothing) {
      this.#nothingStart = block;
      this.#nothingEnd = answer.endBlock;
      return undefined;
    }
    return answer.says !== says.unknown && answer.seq <= this.#seq ? undefined : this.#lookInRecords(block, answer);
  }

  #lookInIndex(block: number, answer: LayerAnswer): Promise<void> | undefined {
    const { starts, pages } = this.#index;
    const behind = firstBehind(starts, starts.length, block);
    const end = behind < starts.length ? (starts[behind] as number) : endOfBlocks;
    const page = pages[behind - 1];
    if (page === undefined) {
      answer.nothingUntil(end);
      return undefined;
    }
    const rows = page.content;
    if (rows !== undefined) {
      rows.look(block, answer);
      if (answer.endBlock > end) answer.endBlock = end;
      return undefined;
    }
    const { damage } = page;
    if (damage === undefined) return page.load();
    answer.unknownUntil(end, damage.message);
    return undefined;
  }

  #lookInRecords(block: number, answer: LayerAnswer): Promise<void> | undefined {
    const known = this.#records.content;
    if (known === undefined) return this.#records.load();
    const end = answer.endBlock;
    known.rows.look(block, answer);
    const isCertain = answer.says !== says.nothing && answer.seq > known.damagedSeq;
    if (known.damagedSeq > 0 && !isCertain) answer.unknownUntil(answer.endBlock, known.finding);
    if (answer.endBlock > end) answer.endBlock = end;
    return undefined;
  }
}

/** Pages that are gone through before others get their turn. */
const pagesPerTurn = 16;

async function readRecords(piece: SealedPiece, volume: number, seq: number, place: PagePlace): Promise<RecordsSay> {
  const touches = new BlockTouches();
  let damagedSeq = 0;
  let finding: string | undefined;
  // Whether an aggregate goes on in the next page: its entries all have one seq.
  let isOpen = true;
  for (let number = 0; number < piece.recordPageCount; number++) {
    const { firstSeq, lastSeq } = piece.recordPagePlace(number);
    if (firstSeq > seq || (number > 0 && firstSeq === seq && !isOpen)) break;
    try {
      const page = await piece.recordPage(number);
      isOpen = page.end.isInAggregate;
      for (const extent of extentsOf(page, volume, seq)) touches.add(extent);
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      damagedSeq = Math.min(lastSeq, seq);
      finding = error.message;
      isOpen = true;
    }
    if (number % pagesPerTurn === pagesPerTurn - 1) await new Promise<void>((resolve) => place.clock.soon(resolve));
  }
  const rows = ExtentRows.of(touches.extents(), volume);
  return { rows, damagedSeq, finding, sizeBytes: rows.sizeBytes };
}

function extentsOf({ records }: RecordPage, volume: number, seq: number): BlockExtent[] {
  const extents: BlockExtent[] = [];
  for (const record of records) {
    if (record.seq > seq) break;
    const extent = record.volume === volume ? extentOf(record, record.extra) : undefined;
    if (extent !== undefined) extents.push(extent);
  }
  return extents;
}
