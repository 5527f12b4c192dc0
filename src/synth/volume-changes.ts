/** The changes of one volume after the other, of pages that have those of all. */
import { type BlockExtent, extentPart } from "#src/journals/block-extent.ts";
import type { ExtentPages } from "./extent-merge.ts";
import type { ChangeWalk } from "./tree-merge.ts";

export class VolumeChanges {
  readonly #pages: AsyncIterator<readonly BlockExtent[], unknown>;
  #page: readonly BlockExtent[] = [];

  private constructor(pages: ExtentPages) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  static async begin(pages: ExtentPages): Promise<VolumeChanges> {
    const changes = new VolumeChanges(pages);
    await changes.#next();
    return changes;
  }

  /** The volume that changes next; undefined: none does. */
  get nextVolume(): number | undefined {
    return this.#page[0]?.volume;
  }

  /** Those of the volume, where it is the one that changes next; nothing otherwise. */
  async *of(volume: number): AsyncGenerator<readonly BlockExtent[], void> {
    while (this.nextVolume === volume) {
      const page = this.#page;
      const behind = page.findIndex((extent) => extent.volume !== volume);
      this.#page = behind < 0 ? [] : page.slice(behind);
      if (behind < 0) await this.#next();
      yield behind < 0 ? page : page.slice(0, behind);
    }
  }

  async #next(): Promise<void> {
    const { value, done } = await this.#pages.next();
    this.#page = done === true ? [] : (value as readonly BlockExtent[]);
  }
}

/** Changes of one volume, one by one. */
export class PagedChanges implements ChangeWalk {
  readonly #pages: AsyncIterator<readonly BlockExtent[], unknown>;
  #page: readonly BlockExtent[] = [];
  #at = 0;
  #head: BlockExtent | undefined;

  private constructor(pages: ExtentPages) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  static async begin(pages: ExtentPages): Promise<PagedChanges> {
    const changes = new PagedChanges(pages);
    await changes.#load(0);
    return changes;
  }

  get current(): BlockExtent | undefined {
    return this.#head;
  }

  take(upToBlock: number): Promise<void> | undefined {
    this.#pass(upToBlock);
    return this.#head === undefined && this.#page.length > 0 ? this.#load(upToBlock) : undefined;
  }

  #pass(upToBlock: number): void {
    let head = this.#head;
    while (head !== undefined && head.startBlock < upToBlock) {
      const end: number = head.startBlock + head.blockCount;
      head = end > upToBlock ? extentPart(head, upToBlock, end - upToBlock) : this.#page[++this.#at];
    }
    this.#head = head;
  }

  /** Until there is one that reaches beyond the block, or nothing. */
  async #load(upToBlock: number): Promise<void> {
    do {
      const { value, done } = await this.#pages.next();
      this.#page = done === true ? [] : (value as readonly BlockExtent[]);
      this.#at = 0;
      this.#head = this.#page[0];
      this.#pass(upToBlock);
    } while (this.#head === undefined && this.#page.length > 0);
  }
}
