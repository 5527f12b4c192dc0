/**
 * A tree of a snapshot as a layer: nodes that were read once are in memory, as they point to each other, for all images of the
 * snapshot together.
 */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { ExtentRows, firstBehind } from "./extent-rows.ts";
import type { ImageLayer, LayerAnswer } from "./image-layer.ts";
import { type PagePlace, PageSlot } from "./page-slot.ts";
import type { NodePointer, TreeRoot } from "./tree-node.ts";

/** What is needed of a `NodeReader`. */
export interface TreeNodes {
  leaf(volume: number, pointer: NodePointer): Promise<readonly BlockExtent[]>;
  inner(volume: number, pointer: NodePointer, height: number): Promise<readonly NodePointer[]>;
}

/** Of a node above leaves. */
class Children {
  readonly starts: Float64Array;
  readonly nodes: readonly HeldNode[];

  constructor(nodes: readonly HeldNode[]) {
    this.nodes = nodes;
    this.starts = Float64Array.from(nodes, ({ startBlock }) => startBlock);
  }

  get sizeBytes(): number {
    return this.nodes.length * heldNodeBytes;
  }
}

/** About so much of memory takes a node that was not read. */
const heldNodeBytes = 300;

class HeldNode {
  readonly startBlock: number;
  readonly rows: PageSlot<ExtentRows> | undefined;
  readonly children: PageSlot<Children> | undefined;

  constructor(place: PagePlace, nodes: TreeNodes, volume: number, { pointer, height }: TreeRoot) {
    this.startBlock = pointer.startBlock;
    if (height === 0) {
      this.rows = new PageSlot(place, async () => ExtentRows.of(await nodes.leaf(volume, pointer), volume));
      return;
    }
    this.children = new PageSlot(place, async () => {
      const below = await nodes.inner(volume, pointer, height);
      return new Children(
        below.map((child) => new HeldNode(place, nodes, volume, { pointer: child, height: height - 1 })),
      );
    });
  }
}

/** A tree with what of it is in memory. */
export class HeldTree {
  readonly root: HeldNode;

  constructor(place: PagePlace, nodes: TreeNodes, volume: number, root: TreeRoot) {
    this.root = new HeldNode(place, nodes, volume, root);
  }
}

/** Of one image. */
export class TreeImageLayer implements ImageLayer {
  readonly #tree: HeldTree;
  /** The leaf that was looked at last, and for which blocks it is asked. */
  #leaf: HeldNode | undefined;
  #leafStart = 0;
  #leafEnd = 0;

  constructor(tree: HeldTree) {
    this.#tree = tree;
  }

  look(block: number, answer: LayerAnswer): Promise<void> | undefined {
    if (this.#leaf !== undefined && block >= this.#leafStart && block < this.#leafEnd) {
      return this.#lookInLeaf(this.#leaf, block, answer);
    }
    let node = this.#tree.root;
    let start = node.startBlock;
    let end = endOfBlocks;
    // Whatever of the tree is damaged, it speaks of none of these.
    if (block < start) {
      answer.nothingUntil(start);
      return undefined;
    }
    while (node.children !== undefined) {
      const children = node.children.content;
      if (children === undefined) return unread(node.children, end, answer);
      const { starts, nodes } = children;
      const behind = firstBehind(starts, starts.length, block);
      if (behind < starts.length) end = Math.min(end, starts[behind] as number);
      if (behind === 0) {
        answer.nothingUntil(end);
        return undefined;
      }
      start = starts[behind - 1] as number;
      node = nodes[behind - 1] as HeldNode;
    }
    this.#leaf = node;
    this.#leafStart = start;
    this.#leafEnd = end;
    return this.#lookInLeaf(node, block, answer);
  }

  #lookInLeaf({ rows: slot }: HeldNode, block: number, answer: LayerAnswer): Promise<void> | undefined {
    const rows = slot?.content;
    if (rows === undefined) return slot === undefined ? undefined : unread(slot, this.#leafEnd, answer);
    rows.look(block, answer);
    if (answer.endBlock > this.#leafEnd) answer.endBlock = this.#leafEnd;
    return undefined;
  }
}

function unread(
  slot: PageSlot<ExtentRows> | PageSlot<Children>,
  end: number,
  answer: LayerAnswer,
): Promise<void> | undefined {
  const { damage } = slot;
  if (damage === undefined) return slot.load();
  answer.unknownUntil(end, damage.message);
  return undefined;
}
