/**
 * Writes a snapshot: the nodes that are new, and the table, which points to the others where they lie. It holds in memory what
 * has not been written of the object, how much of each earlier snapshot is still used, and no nodes.
 *
 * Invariant: `#sources` counts just those nodes of earlier snapshots that the trees have, those finished and those still as
 * in the base.
 */
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { snapshotSourcesMax } from "#src/core/store-limits.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { ExtentPageBuilder } from "#src/journals/extent-page.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { holeAddress } from "#src/records/address.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import type { Objects } from "#src/store/objects.ts";
import { type PartType, partType } from "#src/store/part.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { GatheredPace } from "./gathered-pace.ts";
import type { Snapshot } from "./snapshot.ts";
import { encodeSnapshotNumbers, objectOfSnapshot, type SnapshotIdentity, snapshotName } from "./snapshot-format.ts";
import { encodeSnapshotTable, type SnapshotSource, type SnapshotVolume } from "./snapshot-table.ts";
import type { MergeStore } from "./tree-merge.ts";
import { InnerNodeEncoder, type NodePointer, newestSeqIn, newestSeqOf } from "./tree-node.ts";

export interface SnapshotStoreParts {
  readonly objects: Objects;
  readonly randomness: Randomness;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  readonly group: string;
  /** Where it may take room from. */
  readonly reserve?: SpaceReserve;
}

/** What a snapshot says besides its trees. */
export interface SnapshotEnd {
  /** In the order of their numbers. */
  readonly volumes: readonly SnapshotVolume[];
  readonly through: PieceLink;
  /** Of the last record that is in it. */
  readonly timeMicros: number;
  readonly epoch: number;
  readonly nowMicros: number;
}

/** The nodes of one volume, as they are made anew. */
export interface VolumeNodes extends MergeStore {
  /** What was written so far, less what was replaced. */
  readonly addedLeaves: number;
  readonly addedBlocks: number;
  /** Unread. They are not in the others. */
  readonly droppedLeaves: number;
}

export class SnapshotBuilder {
  readonly #identity: SnapshotIdentity;
  readonly #base: Snapshot | undefined;
  readonly #pace: GatheredPace;
  readonly #object: ObjectBuilder;
  readonly #sources = new Map<number, SnapshotSource>();
  readonly #leaf = new ExtentPageBuilder();
  readonly #inner = new InnerNodeEncoder();
  #nodeCount = 0;
  #nodeBytes = 0;
  #journalPointers = 0;
  #snapshotPointers = 0;

  /** Nothing may be there of its name. */
  constructor(parts: SnapshotStoreParts, seq: number, base: Snapshot | undefined, control: WorkControl) {
    this.#identity = { group: parts.group, seq };
    this.#base = base;
    this.#pace = new GatheredPace(control);
    for (const source of base === undefined ? [] : [...base.sources, base.asSource]) {
      if (source.usedNodes > 0) this.#sources.set(source.seq, source);
    }
    const facts = { ...objectOfSnapshot(this.#identity), level: 0 };
    const { objects, randomness, key, reserve } = parts;
    const writer = objects.create(snapshotName(this.#identity), reserve);
    this.#object = new ObjectBuilder(writer, { facts, randomness, key });
  }

  /** Where the nodes of this volume's trees come from and go to. Blocks from `endBlock` on are not counted. */
  nodesOf(volume: number, endBlock: number): VolumeNodes {
    let [addedLeaves, addedBlocks, droppedLeaves] = [0, 0, 0];
    return {
      get addedLeaves() {
        return addedLeaves;
      },
      get addedBlocks() {
        return addedBlocks;
      },
      get droppedLeaves() {
        return droppedLeaves;
      },
      writeLeaf: (extents) => {
        addedLeaves++;
        addedBlocks += blocksBefore(extents, endBlock);
        return this.#writeLeaf(extents);
      },
      writeInner: (height, children) => {
        const place = { startBlock: (children[0] as NodePointer).startBlock, newestSeq: newestSeqOf(children) };
        this.#countPointers(children);
        return this.#write(partType.nodes, this.#inner.encode({ volume, height, children }), place);
      },
      replaceLeaf: async (pointer) => {
        await this.#replaced(pointer);
        const extents = await this.#known.nodes.leaf(volume, pointer);
        addedLeaves--;
        addedBlocks -= blocksBefore(extents, endBlock);
        return extents;
      },
      replaceInner: async (pointer, height) => {
        await this.#replaced(pointer);
        return this.#known.nodes.inner(volume, pointer, height);
      },
      dropLeaf: (pointer) => {
        droppedLeaves++;
        this.#letGo(pointer);
      },
    };
  }

  get #known(): Snapshot {
    assert(this.#base !== undefined, "only nodes of an earlier snapshot are replaced");
    return this.#base;
  }

  /** No node of this snapshot before this offset in its object is used by then. */
  usedFrom(seq: number, offset: number): void {
    const source = this.#sources.get(seq);
    if (source !== undefined) this.#sources.set(seq, { ...source, usedFrom: offset });
  }

  #writeLeaf(extents: readonly BlockExtent[]): Promise<NodePointer> {
    for (const extent of extents) {
      this.#leaf.add(extent);
      if (extent.address !== holeAddress) this.#journalPointers++;
    }
    const place = { startBlock: (extents[0] as BlockExtent).startBlock, newestSeq: newestSeqIn(extents) };
    return this.#write(partType.extents, this.#leaf.finish(), place);
  }

  async #write(
    type: PartType,
    content: Buffer,
    place: Pick<NodePointer, "startBlock" | "newestSeq">,
  ): Promise<NodePointer> {
    const { offset, storedBytes } = this.#object.addPart(type, this.#nodeCount, content, 0, content.length);
    this.#nodeCount++;
    this.#nodeBytes += storedBytes;
    if (this.#object.isFull) await this.#object.flush();
    await this.#pace.add(storedBytes);
    return { ...place, snapshotSeq: this.#identity.seq, offset, storedBytes };
  }

  #countPointers(pointers: readonly NodePointer[]): void {
    for (const { snapshotSeq } of pointers) if (snapshotSeq !== this.#identity.seq) this.#snapshotPointers++;
  }

  async #replaced(pointer: NodePointer): Promise<void> {
    this.#letGo(pointer);
    await this.#pace.add(pointer.storedBytes);
  }

  #letGo({ snapshotSeq, storedBytes }: NodePointer): void {
    const source = this.#sources.get(snapshotSeq);
    if (source === undefined || source.usedBytes < storedBytes) {
      throw new StopError(`${this.#known.name} is damaged: it has more nodes of snapshot ${snapshotSeq} than it says`);
    }
    const usedNodes = source.usedNodes - 1;
    if (usedNodes === 0) this.#sources.delete(snapshotSeq);
    else this.#sources.set(snapshotSeq, { ...source, usedNodes, usedBytes: source.usedBytes - storedBytes });
  }

  /** The snapshot is in the store when this resolves; if it rejects, it may be nevertheless. */
  async finish({ volumes, through, timeMicros, epoch, nowMicros }: SnapshotEnd): Promise<SnapshotIdentity> {
    const sources = [...this.#sources.values()].sort((a, b) => a.seq - b.seq);
    if (sources.length > snapshotSourcesMax) {
      throw new StopError(`snapshot ${this.#identity.seq} would point into ${sources.length} others`);
    }
    const table = encodeSnapshotTable({ through, baseSeq: this.#base?.seq ?? 0, volumes, sources });
    const own = { nodeCount: this.#nodeCount, nodeBytes: this.#nodeBytes };
    for (const { layers } of volumes) this.#countPointers(layers.map(({ pointer }) => pointer));
    const pointers = { journalPointers: this.#journalPointers, snapshotPointers: this.#snapshotPointers };
    const counts = { volumeCount: volumes.length, sourceCount: sources.length, ...pointers };
    const kindNumbers = encodeSnapshotNumbers({ timeMicros, epoch, ...own, ...counts });
    await this.#object.finish({ table, kindNumbers, timeMicros: nowMicros });
    return this.#identity;
  }

  /** Nothing of it stays. */
  async abandon(): Promise<void> {
    await this.#object.abandon();
  }
}

function blocksBefore(extents: readonly BlockExtent[], endBlock: number): number {
  let blocks = 0;
  for (const { startBlock, blockCount } of extents) {
    blocks += Math.max(0, Math.min(blockCount, endBlock - startBlock));
  }
  return blocks;
}
