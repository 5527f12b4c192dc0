/**
 * Writes the tree of one volume, from its first block to its last: of extents, and of whole trees of earlier snapshots, which
 * it only points to. What it has not written yet are at most `snapshotNodeFill + snapshotNodePointersMax` entries of each
 * height.
 *
 * Invariants: all that was added lies in nodes or is gathered, in its order; a node has `snapshotNodeFew` entries or more,
 * unless it is the last of its height.
 */
import { assert } from "#src/core/assert.ts";
import {
  snapshotLeafExtentsMax,
  snapshotNodeFew,
  snapshotNodeFill,
  snapshotNodePointersMax,
} from "#src/core/store-limits.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { holeAddress } from "#src/records/address.ts";
import { type NodePointer, type TreeRoot, treeHeightMax } from "./tree-node.ts";

/** Where nodes go, and where those come from that are made anew. */
export interface NodeStore {
  writeLeaf(extents: readonly BlockExtent[]): Promise<NodePointer>;
  writeInner(height: number, children: readonly NodePointer[]): Promise<NodePointer>;
  /** What the node holds: the tree will not have it any more. */
  replaceLeaf(pointer: NodePointer): Promise<readonly BlockExtent[]>;
  replaceInner(pointer: NodePointer, height: number): Promise<readonly NodePointer[]>;
}

export class TreeWriter {
  readonly #store: NodeStore;
  #extents: BlockExtent[] = [];
  /** At place `h` nodes of height `h`, which go into nodes of height `h + 1`. */
  readonly #pointers: NodePointer[][] = [];

  constructor(store: NodeStore) {
    this.#store = store;
  }

  /** Behind all that was added. Undefined: there is nothing to wait for. */
  addExtent(extent: BlockExtent): Promise<void> | undefined {
    const extents = this.#extents;
    const last = extents[extents.length - 1];
    if (last !== undefined && isNext(last, extent)) {
      extents[extents.length - 1] = joined(last, extent);
      return undefined;
    }
    assert(last === undefined || last.startBlock + last.blockCount <= extent.startBlock, "extents come in their order");
    extents.push(extent);
    if (extents.length < snapshotNodeFill + snapshotLeafExtentsMax) return undefined;
    return this.#addLeaf(extents.splice(0, snapshotNodeFill));
  }

  /** A tree as it is, behind all that was added. */
  async addTree({ pointer, height }: TreeRoot): Promise<void> {
    if (this.#hasFewBelow(height)) {
      if (height === 0) {
        for (const extent of await this.#store.replaceLeaf(pointer)) {
          const waiting = this.addExtent(extent);
          if (waiting !== undefined) await waiting;
        }
        return;
      }
      for (const child of await this.#store.replaceInner(pointer, height)) {
        await this.addTree({ pointer: child, height: height - 1 });
      }
      return;
    }
    for (let below = -1; below < height; below++) await this.#flush(below);
    await this.#addPointer(pointer, height);
  }

  /** Undefined: nothing was added. Nothing is any more. */
  async finish(): Promise<TreeRoot | undefined> {
    for (let below = -1; below < treeHeightMax; below++) {
      const pointers = this.#pointers[below] ?? [];
      const isTop = this.#pointers.every((others, height) => height <= below || others.length === 0);
      if (isTop && below >= 0 && pointers.length <= 1) {
        const [pointer] = pointers;
        return pointer === undefined ? undefined : { pointer, height: below };
      }
      await this.#flush(below);
    }
    throw new Error("a tree is not as high");
  }

  /** Whether a node would be made of few entries if a tree of this height came next. */
  #hasFewBelow(height: number): boolean {
    const isFew = (count: number) => count > 0 && count < snapshotNodeFew;
    for (let below = 0; below < height; below++) if (isFew(this.#pointers[below]?.length ?? 0)) return true;
    return isFew(this.#extents.length);
  }

  /** -1: what is gathered of extents. */
  async #flush(height: number): Promise<void> {
    if (height < 0) {
      const extents = this.#extents;
      this.#extents = [];
      for (const some of parted(extents, snapshotLeafExtentsMax)) await this.#addLeaf(some);
      return;
    }
    const pointers = this.#pointers[height] ?? [];
    this.#pointers[height] = [];
    for (const some of parted(pointers, snapshotNodePointersMax)) await this.#addInner(some, height + 1);
  }

  async #addLeaf(extents: readonly BlockExtent[]): Promise<void> {
    await this.#addPointer(await this.#store.writeLeaf(extents), 0);
  }

  async #addInner(children: readonly NodePointer[], height: number): Promise<void> {
    await this.#addPointer(await this.#store.writeInner(height, children), height);
  }

  async #addPointer(pointer: NodePointer, height: number): Promise<void> {
    while (this.#pointers.length <= height) this.#pointers.push([]);
    const pointers = this.#pointers[height] as NodePointer[];
    pointers.push(pointer);
    if (pointers.length >= snapshotNodeFill + snapshotNodePointersMax) {
      await this.#addInner(pointers.splice(0, snapshotNodeFill), height + 1);
    }
  }
}

/** As few parts as there may be, of about the same length. */
function parted<Entry>(entries: readonly Entry[], lengthMax: number): Entry[][] {
  const partCount = Math.ceil(entries.length / lengthMax);
  return Array.from({ length: partCount }, (_, part) =>
    entries.slice(
      Math.floor((entries.length * part) / partCount),
      Math.floor((entries.length * (part + 1)) / partCount),
    ),
  );
}

/** Holes are one also where several records made them: who asks what is later than one of these is told of all. */
function isNext(last: BlockExtent, extent: BlockExtent): boolean {
  if (last.startBlock + last.blockCount !== extent.startBlock) return false;
  if (last.address === holeAddress || extent.address === holeAddress) return last.address === extent.address;
  return last.seq === extent.seq && last.level === extent.level && last.address + last.blockCount === extent.address;
}

function joined(last: BlockExtent, { blockCount, seq }: BlockExtent): BlockExtent {
  return { ...last, blockCount: last.blockCount + blockCount, seq: Math.max(last.seq, seq) };
}
