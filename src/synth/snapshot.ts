/**
 * Reads a snapshot: what the volumes of a group held after a record, as addresses of blocks. Everything is checked; what is
 * not as it was written is an `ObjectDamageError` that names the part. Any number of reads may be under way.
 */
import { RefuseError } from "#src/core/errors.ts";
import { snapshotNodeCacheCount } from "#src/core/store-limits.ts";
import { type BlockExtent, endOfBlocks, extentPart, holds } from "#src/journals/block-extent.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { holeAddress } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { partType } from "#src/store/part.ts";
import { readAgain } from "#src/store/read-again.ts";
import { mergedPages } from "./extent-merge.ts";
import { layerPages } from "./layer-pages.ts";
import { NodeReader } from "./node-reader.ts";
import {
  decodeSnapshotNumbers,
  objectOfSnapshot,
  type SnapshotIdentity,
  type SnapshotNumbers,
  snapshotName,
} from "./snapshot-format.ts";
import { decodeSnapshotTable, type SnapshotSource, type SnapshotTable, type SnapshotVolume } from "./snapshot-table.ts";
import type { NodePointer, TreeLayer, TreeRoot } from "./tree-node.ts";

type Node = readonly BlockExtent[] | readonly NodePointer[];

export class Snapshot {
  readonly identity: SnapshotIdentity;
  readonly numbers: SnapshotNumbers;
  readonly nodes: NodeReader;
  readonly #file: ObjectFile;
  readonly #table: SnapshotTable;
  /** The one asked for last is last. */
  readonly #cache = new Map<string, Promise<Node>>();

  private constructor(identity: SnapshotIdentity, file: ObjectFile, facts: SnapshotFacts, nodes: NodeReader) {
    this.identity = identity;
    this.numbers = facts.numbers;
    this.nodes = nodes;
    this.#file = file;
    this.#table = facts.table;
  }

  /** `key` is the store's. Throws as `ObjectFile.open` does. */
  static async open(objects: ObjectSource, identity: SnapshotIdentity, key: Buffer | undefined): Promise<Snapshot> {
    const open = () => ObjectFile.open(objects, snapshotName(identity), objectOfSnapshot(identity), key);
    const file = await readAgain(open);
    const facts = factsOf(file, identity);
    const salts = new Map(facts.table.sources.map(({ seq, salt }) => [seq, salt]));
    salts.set(identity.seq, file.header.salt);
    return new Snapshot(identity, file, facts, new NodeReader({ objects, group: identity.group, key, salts }));
  }

  get name(): string {
    return this.#file.name;
  }

  get seq(): number {
    return this.identity.seq;
  }

  get sizeBytes(): number {
    return this.#file.footer.sizeBytes;
  }

  /** The sealed piece that has its seq. */
  get through(): PieceLink {
    return this.#table.through;
  }

  /** The snapshot that it was synthesized from; 0: none. */
  get baseSeq(): number {
    return this.#table.baseSeq;
  }

  get volumes(): readonly SnapshotVolume[] {
    return this.#table.volumes;
  }

  /** Earlier snapshots without whose objects it cannot be read. */
  get sources(): readonly SnapshotSource[] {
    return this.#table.sources;
  }

  /** As one that points into it has it, where all of its nodes are used. */
  get asSource(): SnapshotSource {
    const { nodeCount: usedNodes, nodeBytes } = this.numbers;
    return { seq: this.seq, salt: this.#file.header.salt, usedNodes, usedBytes: nodeBytes, nodeBytes, usedFrom: 0 };
  }

  /** Undefined: the group has no such volume then. */
  volume(number: number): SnapshotVolume | undefined {
    return this.volumes.find((volume) => volume.number === number);
  }

  /**
   * What the volume holds in this block, and in those behind it as far as one record decides on them; of a hole, which reads
   * as zeros, up to where something is known to lie, and without a seq. `volume` is one of the snapshot's.
   */
  async lookup(volume: number, block: number): Promise<BlockExtent> {
    let end = endOfBlocks;
    for (const layer of this.#layersOf(volume).toReversed()) {
      const found = await this.#find(volume, layer, block);
      if (typeof found === "number") {
        end = Math.min(end, found);
        continue;
      }
      end = Math.min(end, found.startBlock + found.blockCount);
      return found.address === holeAddress ? holeOf(volume, block, end) : extentPart(found, block, end - block);
    }
    return holeOf(volume, block, end);
  }

  /** What the layer says of the block; where it says nothing, up to which block it says nothing. */
  async #find(volume: number, layer: TreeRoot, block: number): Promise<BlockExtent | number> {
    let end = endOfBlocks;
    let pointer = layer.pointer;
    if (pointer.startBlock > block) return pointer.startBlock;
    for (let height = layer.height; height > 0; height--) {
      const children = await this.children(volume, pointer, height);
      const behind = firstBehind(children, block);
      end = children[behind]?.startBlock ?? end;
      pointer = children[behind - 1] as NodePointer;
    }
    const extents = (await this.#node(volume, pointer, 0)) as readonly BlockExtent[];
    const behind = firstBehind(extents, block);
    const extent = extents[behind - 1];
    if (extent !== undefined && holds(extent, volume, block)) return extent;
    return extents[behind]?.startBlock ?? end;
  }

  /** What a node above the leaves points to. Those asked for lately are kept. */
  async children(volume: number, pointer: NodePointer, height: number): Promise<readonly NodePointer[]> {
    return (await this.#node(volume, pointer, height)) as readonly NodePointer[];
  }

  /** All that the volume holds from this block on, in its order, without the holes. */
  async *scan(volume: number, fromBlock = 0): AsyncGenerator<BlockExtent, void> {
    for await (const page of this.changes(volume, -1, fromBlock)) {
      for (const extent of page) if (extent.address !== holeAddress) yield extent;
    }
  }

  /**
   * What the volume holds where a record behind `afterSeq` was the last to decide on it, in the order of the blocks, holes with the
   * others: all that is different from how it was after that record. Reads nodes alone that have something of the kind, so
   * it costs what was changed. Neighbouring holes may be told together, also where one of them is older.
   */
  async *changes(
    volume: number,
    afterSeq: number,
    fromBlock = 0,
    toBlock = endOfBlocks,
  ): AsyncGenerator<readonly BlockExtent[], void> {
    const nodes = {
      leaf: (pointer: NodePointer) => this.nodes.leaf(volume, pointer),
      inner: (pointer: NodePointer, height: number) => this.nodes.inner(volume, pointer, height),
    };
    const wanted = { afterSeq, fromBlock, toBlock };
    const layers = this.#layersOf(volume).filter(({ pointer }) => pointer.newestSeq > afterSeq);
    if (layers.length === 0) return;
    for await (const page of mergedPages(layers.map((layer) => layerPages(nodes, layer, wanted)))) {
      const isWithin = (page[0] as BlockExtent).startBlock >= fromBlock && endOf(page.at(-1) as BlockExtent) <= toBlock;
      if (isWithin) yield page;
      else {
        const parts = page.filter((extent) => extent.startBlock < toBlock && endOf(extent) > fromBlock);
        if (parts.length > 0) yield parts.map((extent) => partWithin(extent, fromBlock, toBlock));
      }
    }
  }

  #layersOf(number: number): readonly TreeLayer[] {
    const volume = this.volume(number);
    if (volume === undefined) throw new RefuseError(`${this.name} has no volume ${number}`);
    return volume.layers;
  }

  #node(volume: number, pointer: NodePointer, height: number): Promise<Node> {
    const key = `${pointer.snapshotSeq} ${pointer.offset}`;
    const known = this.#cache.get(key);
    const read = () => (height === 0 ? this.nodes.leaf(volume, pointer) : this.nodes.inner(volume, pointer, height));
    const node: Promise<Node> = known ?? read();
    this.#cache.delete(key);
    this.#cache.set(key, node);
    if (known !== undefined) return node;
    node.catch(() => this.#cache.delete(key));
    if (this.#cache.size > snapshotNodeCacheCount) {
      for (const [oldest] of this.#cache) {
        this.#cache.delete(oldest);
        break;
      }
    }
    return node;
  }
}

interface SnapshotFacts {
  readonly numbers: SnapshotNumbers;
  readonly table: SnapshotTable;
}

function factsOf(file: ObjectFile, { seq }: SnapshotIdentity): SnapshotFacts {
  const numbers = decodeSnapshotNumbers(file.footer.kindNumbers);
  if (numbers === undefined) throw new ObjectDamageError(file.name, "footer", "its numbers are none of a snapshot");
  const table = decodeSnapshotTable(file.table, seq);
  const agree = table?.volumes.length === numbers.volumeCount && table.sources.length === numbers.sourceCount;
  if (table !== undefined && agree) return { numbers, table };
  const { tableAt: offset, tableBytes: storedBytes } = file.footer;
  throw new ObjectDamageError(
    file.name,
    { type: partType.table, number: 0, offset, storedBytes },
    "it says what cannot be",
  );
}

function endOf({ startBlock, blockCount }: BlockExtent): number {
  return startBlock + blockCount;
}

function partWithin(extent: BlockExtent, fromBlock: number, toBlock: number): BlockExtent {
  const start = Math.max(extent.startBlock, fromBlock);
  return extentPart(extent, start, Math.min(endOf(extent), toBlock) - start);
}

function holeOf(volume: number, startBlock: number, end: number): BlockExtent {
  return { volume, startBlock, blockCount: end - startBlock, address: holeAddress, level: 0, seq: 0 };
}

/** The first that begins behind the block; as many as there are where none does. */
function firstBehind(places: readonly { readonly startBlock: number }[], block: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] as { readonly startBlock: number }).startBlock > block) high = middle;
    else low = middle + 1;
  }
  return low;
}
