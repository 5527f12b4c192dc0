/**
 * Which nodes a new snapshot takes over from earlier objects of which hardly anything is used any more, so that these can
 * go, and from the smallest where it points into many: as many as are found in so many bytes of them. The object is read
 * from where the last snapshot has left off, and of each node it is looked whether a tree still has it; so every byte of
 * an object is read once at most for that.
 */
import {
  partBytesMax,
  snapshotForwardBytesMax,
  snapshotSourcesMany,
  snapshotSourcesMax,
  snapshotSparseShare,
} from "#src/core/store-limits.ts";
import { decodeExtentPage } from "#src/journals/extent-page.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { OpenedPart } from "#src/store/object-file.ts";
import { partType } from "#src/store/part.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { GatheredPace } from "./gathered-pace.ts";
import type { Snapshot } from "./snapshot.ts";
import type { SnapshotSource } from "./snapshot-table.ts";
import { decodeInnerNode, type NodePointer, type TreeRoot } from "./tree-node.ts";

export interface NodesToForward {
  /** By volume and the place of the layer, where the nodes begin, in their order. */
  readonly blocks: ReadonlyMap<number, ReadonlyMap<number, readonly number[]>>;
  /** By snapshot, up to which offset its object has none that is used, once they are taken over. */
  readonly usedFrom: ReadonlyMap<number, number>;
}

/** Somebody who hurries leaves it to the next snapshot, as long as there is room for it. */
export async function nodesToForward(
  base: Snapshot,
  control: WorkControl,
  isHurried: boolean,
): Promise<NodesToForward> {
  const search = new Search(base, control);
  if (isHurried && !search.isCrowded) return search.found();
  for (const source of worthIt(base.sources)) await search.look(source);
  return search.found();
}

function worthIt(sources: readonly SnapshotSource[]): SnapshotSource[] {
  const others = sources.filter((source) => !isSparse(source)).sort((a, b) => leftBytesOf(a) - leftBytesOf(b));
  const tooMany = Math.max(0, sources.length - snapshotSourcesMany);
  return [...sources.filter(isSparse), ...others.slice(0, tooMany)];
}

function leftBytesOf({ nodeBytes, usedFrom }: SnapshotSource): number {
  return nodeBytes - usedFrom;
}

function isSparse({ usedBytes, nodeBytes }: SnapshotSource): boolean {
  return usedBytes < nodeBytes * snapshotSparseShare;
}

interface PlacedNode {
  readonly volume: number;
  readonly startBlock: number;
  readonly height: number;
}

class Search {
  readonly #base: Snapshot;
  readonly #pace: GatheredPace;
  readonly #blocks = new Map<number, Map<number, number[]>>();
  readonly #usedFrom = new Map<number, number>();
  #leftBytes: number;
  /** There is hardly room for another source. */
  readonly isCrowded: boolean;

  constructor(base: Snapshot, control: WorkControl) {
    this.#base = base;
    this.#pace = new GatheredPace(control);
    this.isCrowded = base.sources.length >= snapshotSourcesMax / 2;
    // Then the smallest goes whatever it takes.
    const smallestBytes = Math.min(...base.sources.map(leftBytesOf));
    this.#leftBytes = Math.max(snapshotForwardBytesMax, this.isCrowded ? smallestBytes + partBytesMax : 0);
  }

  found(): NodesToForward {
    for (const layers of this.#blocks.values()) for (const blocks of layers.values()) blocks.sort((a, b) => a - b);
    return { blocks: this.#blocks, usedFrom: this.#usedFrom };
  }

  async look({ seq, usedFrom }: SnapshotSource): Promise<void> {
    if (this.#leftBytes <= 0) return;
    for await (const part of this.#base.nodes.parts(seq, usedFrom)) {
      // What cannot be read cannot be taken over either.
      if (part instanceof ObjectDamageError || this.#leftBytes <= 0) return;
      const { offset, storedBytes } = part;
      this.#leftBytes -= storedBytes;
      await this.#pace.add(storedBytes);
      const node = nodeOf(part);
      const layer = node === undefined ? -1 : await layerOf(this.#base, node, { snapshotSeq: seq, offset });
      if (node !== undefined && layer >= 0) this.#note(node, layer);
      this.#usedFrom.set(seq, offset + storedBytes);
    }
  }

  #note({ volume, startBlock }: PlacedNode, layer: number): void {
    const layers = this.#blocks.get(volume) ?? new Map<number, number[]>();
    const blocks = layers.get(layer) ?? [];
    blocks.push(startBlock);
    layers.set(layer, blocks);
    this.#blocks.set(volume, layers);
  }
}

/** Which of the volume's layers has just this node; -1: none has. */
async function layerOf(
  snapshot: Snapshot,
  node: PlacedNode,
  place: Pick<NodePointer, "snapshotSeq" | "offset">,
): Promise<number> {
  for (const [index, layer] of (snapshot.volume(node.volume)?.layers ?? []).entries()) {
    const found = await nodeIn(snapshot, layer, node);
    if (found?.snapshotSeq === place.snapshotSeq && found.offset === place.offset) return index;
  }
  return -1;
}

/** The one of this height that would speak of where the other begins. */
async function nodeIn(
  snapshot: Snapshot,
  root: TreeRoot,
  { volume, startBlock, height }: PlacedNode,
): Promise<NodePointer | undefined> {
  if (root.height < height) return undefined;
  let found: NodePointer | undefined = root.pointer;
  for (let above = root.height; above > height && found !== undefined; above--) {
    const children: readonly NodePointer[] = await snapshot.children(volume, found, above);
    found = children.findLast((child) => child.startBlock <= startBlock);
  }
  return found;
}

/** Undefined: it is none. */
function nodeOf({ type, content }: OpenedPart): PlacedNode | undefined {
  if (type === partType.nodes) {
    const node = decodeInnerNode(content);
    const [child] = node?.children ?? [];
    return node && child && { volume: node.volume, startBlock: child.startBlock, height: node.height };
  }
  const [extent] = type === partType.extents ? (decodeExtentPage(content) ?? []) : [];
  return extent && { volume: extent.volume, startBlock: extent.startBlock, height: 0 };
}
