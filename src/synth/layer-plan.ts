/**
 * Which of a volume's layers are made one with the changes of the next snapshot: those that are not much larger than what comes on
 * top, and those of which much is covered. So layers get larger the older they are, there are few of them, and what was written
 * once is written again a few times in its life, however large the volume is. A snapshot that somebody waits for leaves all
 * that are not smaller than its own changes to the next.
 */
import { snapshotLayerGrowth, snapshotLayersMax } from "#src/core/store-limits.ts";
import type { TreeLayer } from "./tree-node.ts";

export type LayerSize = Pick<TreeLayer, "leafCount" | "blockCount">;

/** Answers how many of the newest layers. `layers`: the oldest first. */
export function layersToMerge(layers: readonly LayerSize[], newLeaves: number, isHurried: boolean): number {
  const isFree = !isHurried || layers.length >= snapshotLayersMax;
  let [leaves, blocks, count] = [newLeaves, 0, 0];
  for (const { leafCount, blockCount } of layers.toReversed()) {
    const isMuchLarger = leafCount > snapshotLayerGrowth * leaves;
    const isCovered = 2 * blocks >= blockCount;
    const areTooMany = layers.length - count >= snapshotLayersMax;
    if (isMuchLarger && !isCovered && !areTooMany) break;
    if (!isFree && leafCount >= newLeaves) break;
    leaves += leafCount;
    blocks += blockCount;
    count++;
  }
  return count;
}
