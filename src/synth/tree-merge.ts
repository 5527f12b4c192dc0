/**
 * Lays changes over a tree of a volume: nodes on the way to a change are made anew, all others are pointed to. What a change
 * covers whole is not read, but for the nodes above its leaves, to know which are used no more.
 */
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { type BlockExtent, endOfBlocks, extentPart } from "#src/journals/block-extent.ts";
import type { NodePointer, TreeRoot } from "./tree-node.ts";
import { type NodeStore, TreeWriter } from "./tree-writer.ts";

export interface MergeStore extends NodeStore {
  /** This one goes too, unread. */
  dropLeaf(pointer: NodePointer): void;
}

/** Changes of one volume, in the order of their blocks, none over another. */
export interface ChangeWalk {
  /** What of them was not taken yet; undefined: nothing. */
  readonly current: BlockExtent | undefined;
  /** Takes what lies before this block. Undefined: there is nothing to wait for. */
  take(upToBlock: number): Promise<void> | undefined;
}

/** Nodes on the way to a block of `renewed`, which are in their order, are made anew though nothing changes there. */
export async function mergedTree(
  store: MergeStore,
  root: TreeRoot | undefined,
  changes: ChangeWalk,
  renewed: readonly number[] = [],
): Promise<TreeRoot | undefined> {
  if (changes.current === undefined && renewed.length === 0) return root;
  const merge = new TreeMerge(store, changes, renewed);
  if (root === undefined) await merge.addChanges(endOfBlocks);
  else await merge.add(root, 0, endOfBlocks);
  return merge.finish();
}

class TreeMerge {
  readonly #store: MergeStore;
  readonly #changes: ChangeWalk;
  readonly #renewed: readonly number[];
  #renewedCount = 0;
  readonly #writer: TreeWriter;

  constructor(store: MergeStore, changes: ChangeWalk, renewed: readonly number[]) {
    this.#store = store;
    this.#changes = changes;
    this.#renewed = renewed;
    this.#writer = new TreeWriter(store);
  }

  finish(): Promise<TreeRoot | undefined> {
    assert(this.#changes.current === undefined, "all changes have their place");
    return this.#writer.finish();
  }

  /** The tree that has the blocks from `from` to `to`, with the changes there. */
  async add(tree: TreeRoot, from: number, to: number): Promise<void> {
    const change = this.#changes.current;
    const isChanged = change !== undefined && change.startBlock < to;
    if (!isChanged && !this.#isRenewed(to)) return this.#writer.addTree(tree);
    const { pointer, height } = tree;
    // Before its first block there is nothing in it.
    const isCovered = isChanged && change.startBlock <= Math.max(from, pointer.startBlock) && endOf(change) >= to;
    if (isCovered) {
      await this.#drop(pointer, height);
      this.#passRenewed(to);
      return this.addChanges(to);
    }
    if (height === 0) {
      this.#passRenewed(to);
      const extents = await this.#store.replaceLeaf(pointer);
      checkWithin(extents.at(-1), to);
      return this.#addLeaf(extents, to);
    }
    const children = await this.#store.replaceInner(pointer, height);
    checkWithin(children.at(-1), to);
    for (const [index, child] of children.entries()) {
      const childFrom = index === 0 ? from : child.startBlock;
      const childTo = children[index + 1]?.startBlock ?? to;
      await this.add({ pointer: child, height: height - 1 }, childFrom, childTo);
    }
  }

  /** Whether a block before this one is still to be. */
  #isRenewed(to: number): boolean {
    return (this.#renewed[this.#renewedCount] ?? to) < to;
  }

  #passRenewed(to: number): void {
    while (this.#isRenewed(to)) this.#renewedCount++;
  }

  async #addLeaf(extents: readonly BlockExtent[], to: number): Promise<void> {
    // Up to there it is as the changes have it.
    let changedTo = 0;
    for (const extent of extents) {
      const end = endOf(extent);
      for (let block = Math.max(extent.startBlock, changedTo); block < end; block = Math.max(block, changedTo)) {
        const change = this.#changes.current;
        const keptTo = Math.min(end, Math.max(block, change?.startBlock ?? end));
        if (keptTo > block) {
          const isWhole = block === extent.startBlock && keptTo === end;
          const waiting = this.#writer.addExtent(isWhole ? extent : extentPart(extent, block, keptTo - block));
          if (waiting !== undefined) await waiting;
        }
        block = keptTo;
        if (change === undefined || block === end) continue;
        changedTo = Math.min(endOf(change), to);
        await this.addChanges(changedTo);
      }
    }
    await this.addChanges(to);
  }

  /** Those before this block. */
  async addChanges(to: number): Promise<void> {
    for (;;) {
      const change = this.#changes.current;
      if (change === undefined || change.startBlock >= to) return;
      const end = Math.min(endOf(change), to);
      const isWhole = end === endOf(change);
      const part = isWhole ? change : extentPart(change, change.startBlock, end - change.startBlock);
      const writing = this.#writer.addExtent(part);
      if (writing !== undefined) await writing;
      const taking = this.#changes.take(end);
      if (taking !== undefined) await taking;
    }
  }

  async #drop(pointer: NodePointer, height: number): Promise<void> {
    if (height === 0) return this.#store.dropLeaf(pointer);
    for (const child of await this.#store.replaceInner(pointer, height)) await this.#drop(child, height - 1);
  }
}

/** What is read has sound nodes; that they fit each other nobody has seen yet. */
function checkWithin(
  last: { readonly startBlock: number; readonly blockCount?: number } | undefined,
  to: number,
): void {
  if (last === undefined || last.startBlock + (last.blockCount ?? 1) <= to) return;
  throw new StopError(`a snapshot is damaged: block ${last.startBlock} lies in a node that ends before block ${to}`);
}

function endOf({ startBlock, blockCount }: BlockExtent): number {
  return startBlock + blockCount;
}
