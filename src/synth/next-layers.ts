/**
 * The layers of a volume in the next snapshot: what was changed becomes the newest one, together with those that are not much
 * larger; the others are pointed to as they are.
 */
import { snapshotNodeFill } from "#src/core/store-limits.ts";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { type ExtentPages, mergedPages } from "./extent-merge.ts";
import { layerPages } from "./layer-pages.ts";
import { layersToMerge } from "./layer-plan.ts";
import type { VolumeNodes } from "./snapshot-builder.ts";
import { mergedTree } from "./tree-merge.ts";
import type { TreeLayer } from "./tree-node.ts";
import { PagedChanges, type VolumeChanges } from "./volume-changes.ts";

export interface KnownLayers {
  readonly layers: readonly TreeLayer[];
  /** By the place of the layer: nodes on the way to these blocks are made anew though nothing changes there. */
  readonly renewed: ReadonlyMap<number, readonly number[]> | undefined;
  /** No more than so many were changed. */
  readonly extentsMax: number;
}

const allExtents = { afterSeq: -1, fromBlock: 0, toBlock: endOfBlocks };

export async function nextLayers(
  nodes: VolumeNodes,
  { layers, renewed, extentsMax }: KnownLayers,
  changes: VolumeChanges,
  volume: number,
  isHurried: boolean,
): Promise<TreeLayer[]> {
  const isChanged = changes.nextVolume === volume;
  const mergedCount = isChanged ? layersToMerge(layers, Math.ceil(extentsMax / snapshotNodeFill), isHurried) : 0;
  const keptCount = layers.length - mergedCount;
  const next: TreeLayer[] = [];
  for (const [place, layer] of layers.slice(0, keptCount).entries()) {
    const blocks = renewed?.get(place);
    next.push(...(blocks === undefined ? [layer] : await changed(nodes, layer, [], blocks)));
  }
  if (!isChanged) return next;
  const [target, ...others] = layers.slice(keptCount);
  const replaced = { leaf: nodes.replaceLeaf, inner: nodes.replaceInner };
  const rows = [...others.map((layer) => layerPages(replaced, layer, allExtents)), changes.of(volume)];
  return [...next, ...(await changed(nodes, target, rows, renewed?.get(keptCount), others))];
}

/** The layer with all that the rows say, and with nodes made anew. The others are replaced as the rows are read. */
async function changed(
  nodes: VolumeNodes,
  layer: TreeLayer | undefined,
  rows: readonly ExtentPages[],
  renewed: readonly number[] | undefined,
  others: readonly TreeLayer[] = [],
): Promise<TreeLayer[]> {
  const { addedLeaves, addedBlocks, droppedLeaves } = nodes;
  const root = await mergedTree(nodes, layer, await PagedChanges.begin(mergedPages(rows)), renewed);
  if (root === undefined) return [];
  const dropped = nodes.droppedLeaves - droppedLeaves;
  let leafCount = nodes.addedLeaves - addedLeaves - dropped;
  // Of what was dropped nobody has looked how many blocks it spoke of.
  let blockCount =
    nodes.addedBlocks - addedBlocks - (layer === undefined ? 0 : (dropped * layer.blockCount) / layer.leafCount);
  for (const one of layer === undefined ? others : [layer, ...others]) {
    leafCount += one.leafCount;
    blockCount += one.blockCount;
  }
  return [
    {
      pointer: root.pointer,
      height: root.height,
      leafCount,
      blockCount: Math.min(Math.max(0, Math.round(blockCount)), endOfBlocks),
    },
  ];
}
