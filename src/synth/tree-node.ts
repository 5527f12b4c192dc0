/**
 * The nodes of a snapshot's trees over the blocks of a volume (docs/formats.md, "The snapshot"). A leaf is a page of extents,
 * as a sealed piece has them. A node above points to the nodes below it, in whichever snapshot of the group they lie.
 *
 * Invariants: children are in the order of their blocks, and all are of one height; what a child speaks of begins at its
 * `startBlock`, and ends before the next one's; none has an extent of a later record than its `newestSeq`, and one has it.
 */
import { assert } from "#src/core/assert.ts";
import { snapshotNodePointersMax } from "#src/core/store-limits.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { PackedReader, PackedWriter, packedBitsMax, varintBytesMax } from "#src/journals/packed-bytes.ts";
import { ColumnReader, ColumnWriter, columnBytesMax } from "#src/journals/packed-column.ts";

/** Where a node lies. */
export interface NodePointer {
  /** The first block that it speaks of. */
  readonly startBlock: number;
  /** The snapshot whose object it lies in. */
  readonly snapshotSeq: number;
  /** Of its part in the object. */
  readonly offset: number;
  readonly storedBytes: number;
  /** Of the extents in it or below it, the highest: who looks for what is later passes it over unread. */
  readonly newestSeq: number;
}

/** A whole tree. */
export interface TreeRoot {
  readonly pointer: NodePointer;
  /** 0 of a leaf; of a node above one more than of those below it. */
  readonly height: number;
}

/**
 * One of the trees that together say what a volume holds. Of two that speak of a block the later one counts; what none of them
 * speaks of reads as zeros.
 */
export interface TreeLayer extends TreeRoot {
  readonly leafCount: number;
  /** About so many of the volume's blocks it speaks of. */
  readonly blockCount: number;
}

export interface InnerNode {
  readonly volume: number;
  readonly height: number;
  readonly children: readonly NodePointer[];
}

const columnCount = 5;
const innerNodeBytesMax = 3 * varintBytesMax + columnCount * columnBytesMax(snapshotNodePointersMax, packedBitsMax);
const volumeMax = 2 ** 32 - 1;
/** Far more than all blocks need. */
export const treeHeightMax = 32;

export class InnerNodeEncoder {
  readonly #writer = new PackedWriter(innerNodeBytesMax);
  readonly #startBlocks = new ColumnWriter(snapshotNodePointersMax);
  readonly #snapshots = new ColumnWriter(snapshotNodePointersMax);
  readonly #offsets = new ColumnWriter(snapshotNodePointersMax);
  readonly #sizes = new ColumnWriter(snapshotNodePointersMax);
  readonly #newestSeqs = new ColumnWriter(snapshotNodePointersMax);

  /** Valid until the next one is encoded. */
  encode({ volume, height, children }: InnerNode): Buffer {
    assert(height >= 1 && height <= treeHeightMax, "a node above leaves has a height");
    assert(children.length >= 1 && children.length <= snapshotNodePointersMax, "and so many children");
    const writer = this.#writer;
    writer.clear();
    for (const number of [volume, height, children.length]) writer.putVarint(number);
    const prediction = new PointerPrediction();
    for (const child of children) {
      assert(prediction.mayBe(child), "children are in the order of their blocks");
      this.#startBlocks.add(child.startBlock, prediction.startBlock);
      this.#snapshots.add(child.snapshotSeq, prediction.snapshotSeq);
      this.#offsets.add(child.offset, prediction.offset);
      this.#sizes.add(child.storedBytes, prediction.storedBytes);
      this.#newestSeqs.add(child.newestSeq, prediction.newestSeq);
      prediction.learn(child);
    }
    const columns = [this.#startBlocks, this.#snapshots, this.#offsets, this.#sizes, this.#newestSeqs];
    for (const column of columns) column.finish(writer);
    return writer.bytes;
  }
}

export function newestSeqOf(children: readonly NodePointer[]): number {
  let newest = 0;
  for (const { newestSeq } of children) if (newestSeq > newest) newest = newestSeq;
  return newest;
}

/** The same of a leaf. */
export function newestSeqIn(extents: readonly BlockExtent[]): number {
  let newest = 0;
  for (const { seq } of extents) if (seq > newest) newest = seq;
  return newest;
}

/** Undefined: the bytes are no such node of this version. */
export function decodeInnerNode(bytes: Buffer): InnerNode | undefined {
  const reader = new PackedReader(bytes);
  const [volume, height, count] = [reader.takeVarint(), reader.takeVarint(), reader.takeVarint()];
  const isBounded = count >= 1 && count <= snapshotNodePointersMax && volume <= volumeMax;
  if (!isBounded || height < 1 || height > treeHeightMax) return undefined;
  const startBlocks = new ColumnReader(reader, count);
  const snapshots = new ColumnReader(reader, count);
  const offsets = new ColumnReader(reader, count);
  const sizes = new ColumnReader(reader, count);
  const newestSeqs = new ColumnReader(reader, count);
  const prediction = new PointerPrediction();
  const children: NodePointer[] = [];
  for (let index = 0; index < count; index++) {
    const child = {
      startBlock: startBlocks.take(prediction.startBlock),
      snapshotSeq: snapshots.take(prediction.snapshotSeq),
      offset: offsets.take(prediction.offset),
      storedBytes: sizes.take(prediction.storedBytes),
      newestSeq: newestSeqs.take(prediction.newestSeq),
    };
    if (reader.isBroken || !prediction.mayBe(child)) return undefined;
    prediction.learn(child);
    children.push(child);
  }
  return reader.isAtEnd ? { volume, height, children } : undefined;
}

/** What the children so far say of the next one: mostly it lies behind the last one. */
class PointerPrediction {
  startBlock = 0;
  snapshotSeq = 0;
  offset = 0;
  storedBytes = 0;
  newestSeq = 0;
  #isFirst = true;

  mayBe({ startBlock }: NodePointer): boolean {
    return this.#isFirst || startBlock > this.startBlock;
  }

  learn({ startBlock, snapshotSeq, offset, storedBytes, newestSeq }: NodePointer): void {
    this.startBlock = startBlock;
    this.snapshotSeq = snapshotSeq;
    this.offset = Math.min(offset + storedBytes, Number.MAX_SAFE_INTEGER);
    this.storedBytes = storedBytes;
    this.newestSeq = newestSeq;
    this.#isFirst = false;
  }
}
