/**
 * What rows of extents that lie over each other say in effect: where several speak of a block, the last of them counts. Read page
 * by page, in the order of volumes and blocks; in memory is one page of each.
 *
 * Invariant: all that lies before the head of each row is told.
 */
import { type BlockExtent, extentPart } from "#src/journals/block-extent.ts";

/** Extents in the order of their volumes and blocks, none over another; no page is empty. */
export type ExtentPages = AsyncIterable<readonly BlockExtent[]>;

const pageExtents = 512;

export async function* mergedPages(rows: readonly ExtentPages[]): AsyncGenerator<readonly BlockExtent[], void> {
  if (rows.length === 1) {
    yield* rows[0] as ExtentPages;
    return;
  }
  const merge = new ExtentMerge(rows);
  try {
    for (let page = await merge.next(); page.length > 0; page = await merge.next()) yield page;
  } finally {
    await merge.close();
  }
}

class ExtentMerge {
  readonly #rows: readonly Row[];

  constructor(rows: readonly ExtentPages[]) {
    this.#rows = rows.map((pages) => new Row(pages));
  }

  /** Empty: there are no more. */
  async next(): Promise<BlockExtent[]> {
    const page: BlockExtent[] = [];
    for (;;) {
      for (const row of this.#rows) if (row.isDry) await row.load();
      if (!this.#fill(page) || page.length >= pageExtents) return page;
    }
  }

  async close(): Promise<void> {
    for (const row of this.#rows) await row.close();
  }

  /** As long as all heads are known and the page has room. False: there is nothing left. */
  #fill(page: BlockExtent[]): boolean {
    while (page.length < pageExtents) {
      const place = this.#latestOfFirst();
      const first = this.#rows[place]?.head;
      if (first === undefined) return false;
      const whole = first.startBlock + first.blockCount;
      const end = this.#endWithin(place, first, whole);
      page.push(end === whole ? first : extentPart(first, first.startBlock, end - first.startBlock));
      let isDry = false;
      for (const row of this.#rows) {
        row.pass(first.volume, end);
        isDry ||= row.isDry;
      }
      if (isDry) return true;
    }
    return true;
  }

  /** Of those that begin first, the last. */
  #latestOfFirst(): number {
    let found = -1;
    let first: BlockExtent | undefined;
    for (let index = 0; index < this.#rows.length; index++) {
      const head = this.#rows[index]?.head;
      if (head === undefined || (first !== undefined && isBefore(first, head))) continue;
      found = index;
      first = head;
    }
    return found;
  }

  /** Where it ends, or a later row speaks. */
  #endWithin(place: number, first: BlockExtent, whole: number): number {
    let end = whole;
    for (let index = place + 1; index < this.#rows.length; index++) {
      const head = this.#rows[index]?.head;
      if (head !== undefined && head.volume === first.volume && head.startBlock < end) end = head.startBlock;
    }
    return end;
  }
}

function isBefore(a: BlockExtent, b: BlockExtent): boolean {
  return a.volume < b.volume || (a.volume === b.volume && a.startBlock < b.startBlock);
}

class Row {
  readonly #pages: AsyncIterator<readonly BlockExtent[], unknown>;
  #page: readonly BlockExtent[] = [];
  #at = 0;
  #isOver = false;
  /** What is known to lie before has been told of other rows. */
  #passed: { readonly volume: number; readonly block: number } = { volume: 0, block: 0 };
  /** Undefined while another page is to be loaded, and behind the last one. */
  head: BlockExtent | undefined;

  constructor(pages: ExtentPages) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  get isDry(): boolean {
    return this.head === undefined && !this.#isOver;
  }

  async load(): Promise<void> {
    while (this.isDry) {
      const { value, done } = await this.#pages.next();
      this.#isOver = done === true;
      this.#page = done === true ? [] : (value as readonly BlockExtent[]);
      this.#at = 0;
      this.head = this.#page[0];
      this.pass(this.#passed.volume, this.#passed.block);
    }
  }

  /** Nothing before this block of the volume is wanted. */
  pass(volume: number, block: number): void {
    let head = this.head;
    while (head !== undefined && head.volume === volume && head.startBlock < block) {
      const end: number = head.startBlock + head.blockCount;
      head = end > block ? extentPart(head, block, end - block) : this.#page[++this.#at];
    }
    this.head = head;
    if (head === undefined) this.#passed = { volume, block };
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}
