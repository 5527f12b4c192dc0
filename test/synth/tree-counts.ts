/** What a snapshot's trees have of each object, counted by walking all of them. */
import type { Snapshot } from "#src/synth/snapshot.ts";
import type { NodePointer } from "#src/synth/tree-node.ts";

export interface UsedNodes {
  readonly seq: number;
  readonly usedNodes: number;
  readonly usedBytes: number;
}

/** Sorted by their seqs, the snapshot's own last. */
export async function usedNodesOf(snapshot: Snapshot): Promise<UsedNodes[]> {
  const found = new Map<number, UsedNodes>();
  const walk = async (volume: number, pointer: NodePointer, height: number): Promise<void> => {
    const { snapshotSeq: seq, storedBytes } = pointer;
    const { usedNodes, usedBytes } = found.get(seq) ?? { usedNodes: 0, usedBytes: 0 };
    found.set(seq, { seq, usedNodes: usedNodes + 1, usedBytes: usedBytes + storedBytes });
    if (height === 0) return;
    for (const child of await snapshot.nodes.inner(volume, pointer, height)) await walk(volume, child, height - 1);
  };
  for (const { number, layers } of snapshot.volumes) {
    for (const { pointer, height } of layers) await walk(number, pointer, height);
  }
  return [...found.values()].sort((a, b) => a.seq - b.seq);
}

/** What the snapshot says of itself. */
export function toldNodesOf({ sources, asSource, numbers }: Snapshot): UsedNodes[] {
  const own = numbers.nodeCount === 0 ? [] : [asSource];
  return [...sources, ...own].map(({ seq, usedNodes, usedBytes }) => ({ seq, usedNodes, usedBytes }));
}

/** By volume and layer. */
export async function countedLeavesOf(snapshot: Snapshot): Promise<number[][]> {
  const leaves = async (volume: number, pointer: NodePointer, height: number): Promise<number> => {
    if (height === 0) return 1;
    let count = 0;
    for (const child of await snapshot.nodes.inner(volume, pointer, height)) {
      count += await leaves(volume, child, height - 1);
    }
    return count;
  };
  const counted: number[][] = [];
  for (const { number, layers } of snapshot.volumes) {
    const counts: number[] = [];
    for (const { pointer, height } of layers) counts.push(await leaves(number, pointer, height));
    counted.push(counts);
  }
  return counted;
}

export function toldLeavesOf({ volumes }: Snapshot): number[][] {
  return volumes.map(({ layers }) => layers.map(({ leafCount }) => leafCount));
}
