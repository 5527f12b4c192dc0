/** What one layer says, leaf by leaf. What has nothing of records behind a seq is passed over, unread. */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import type { NodePointer, TreeRoot } from "./tree-node.ts";

/** Where the nodes come from. */
export interface LayerNodes {
  leaf(pointer: NodePointer): Promise<readonly BlockExtent[]>;
  inner(pointer: NodePointer, height: number): Promise<readonly NodePointer[]>;
}

export interface WantedExtents {
  /** Of later records alone. */
  readonly afterSeq: number;
  readonly fromBlock: number;
  /** The first that is not wanted. */
  readonly toBlock: number;
}

/** Extents that reach into the range, as they are. */
export async function* layerPages(
  nodes: LayerNodes,
  { pointer, height }: TreeRoot,
  wanted: WantedExtents,
): AsyncGenerator<readonly BlockExtent[], void> {
  if (pointer.newestSeq <= wanted.afterSeq || pointer.startBlock >= wanted.toBlock) return;
  if (height === 0) {
    const extents = await nodes.leaf(pointer);
    const found = extents.filter((extent) => isWanted(extent, wanted));
    if (found.length > 0) yield found;
    return;
  }
  const children = await nodes.inner(pointer, height);
  for (const [index, child] of children.entries()) {
    const next = children[index + 1];
    if (next !== undefined && next.startBlock <= wanted.fromBlock) continue;
    if (child.startBlock >= wanted.toBlock) return;
    yield* layerPages(nodes, { pointer: child, height: height - 1 }, wanted);
  }
}

function isWanted(
  { startBlock, blockCount, seq }: BlockExtent,
  { afterSeq, fromBlock, toBlock }: WantedExtents,
): boolean {
  return seq > afterSeq && startBlock < toBlock && startBlock + blockCount > fromBlock;
}
