/**
 * A page of a sealed piece's index of blocks (docs/formats.md, "The sealed piece"): extents in the order of their blocks,
 * none over another.
 *
 * Invariant: 1 <= extents <= sealedPageExtentsMax.
 */
import { assert } from "#src/core/assert.ts";
import { sealedPageExtentsMax } from "#src/core/store-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { type BlockExtent, endOfBlocks } from "./block-extent.ts";
import { PackedReader, PackedWriter, packedBitsMax, varintBytesMax } from "./packed-bytes.ts";
import { ColumnReader, ColumnWriter, columnBytesMax } from "./packed-column.ts";

const columnCount = 7;
/** How many there are, and what is predicted of the first one. */
const headNumbers = 4;
/** No page takes more. */
const extentPageBytesMax =
  headNumbers * varintBytesMax + columnCount * columnBytesMax(sealedPageExtentsMax, packedBitsMax);
const numberMax = 2 ** 32 - 1;

export class ExtentPageBuilder {
  readonly #writer = new PackedWriter(extentPageBytesMax);
  readonly #kinds = new ColumnWriter(sealedPageExtentsMax);
  readonly #volumes = new ColumnWriter(sealedPageExtentsMax);
  readonly #startBlocks = new ColumnWriter(sealedPageExtentsMax);
  readonly #blockCounts = new ColumnWriter(sealedPageExtentsMax);
  readonly #seqs = new ColumnWriter(sealedPageExtentsMax);
  readonly #addresses = new ColumnWriter(sealedPageExtentsMax);
  readonly #levels = new ColumnWriter(sealedPageExtentsMax);
  #prediction = new ExtentPrediction();
  #first: ExtentStart = { startBlock: 0, seq: 0, address: 0 };
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === sealedPageExtentsMax;
  }

  add(extent: BlockExtent): void {
    assert(!this.isFull && this.#prediction.mayBe(extent), "extents are added in their order");
    if (this.#count === 0) {
      this.#first = extent;
      this.#prediction.begin(extent);
    }
    const prediction = this.#prediction;
    this.#kinds.add(extent.address === holeAddress ? 0 : 1, 0);
    this.#volumes.add(extent.volume, prediction.volume);
    this.#startBlocks.add(extent.startBlock, prediction.endBlock);
    this.#blockCounts.add(extent.blockCount, prediction.blockCount);
    this.#seqs.add(extent.seq, prediction.seq);
    if (extent.address !== holeAddress) {
      this.#addresses.add(extent.address, prediction.addressAt(extent.seq));
      this.#levels.add(extent.level, prediction.level);
    }
    prediction.learn(extent);
    this.#count++;
  }

  /** The page; valid until the next one is finished. */
  finish(): Buffer {
    assert(this.#count > 0, "a page has extents");
    const writer = this.#writer;
    writer.clear();
    writer.putVarint(this.#count);
    const { startBlock, seq, address } = this.#first;
    for (const number of [startBlock, seq, address]) writer.putVarint(number);
    const firstOnes = [this.#kinds, this.#volumes, this.#startBlocks, this.#blockCounts];
    for (const column of [...firstOnes, this.#seqs, this.#addresses, this.#levels]) column.finish(writer);
    this.#count = 0;
    this.#prediction = new ExtentPrediction();
    return writer.bytes;
  }
}

/** Of the first extent, so that it does not stand out from the others. */
type ExtentStart = Pick<BlockExtent, "startBlock" | "seq" | "address">;

/** What the extents so far say of the next one. */
class ExtentPrediction {
  volume = 0;
  endBlock = 0;
  blockCount = 0;
  seq = 0;
  level = 0;
  /** Of the last extent that has an address. */
  #address = 0;
  #addressSeq = 0;

  begin({ startBlock, seq, address }: ExtentStart): void {
    this.endBlock = startBlock;
    this.seq = seq;
    this.#address = address;
    this.#addressSeq = seq;
  }

  mayBe({ volume, startBlock }: BlockExtent): boolean {
    return volume > this.volume || (volume === this.volume && startBlock >= this.endBlock);
  }

  /** Small writes that came one behind the other have addresses one behind the other. */
  addressAt(seq: number): number {
    const predicted = this.#address + (seq - this.#addressSeq);
    return Math.min(Math.max(predicted, 0), Number.MAX_SAFE_INTEGER);
  }

  learn({ volume, startBlock, blockCount, seq, level, address }: BlockExtent): void {
    this.volume = volume;
    this.endBlock = startBlock + blockCount;
    this.blockCount = blockCount;
    this.seq = seq;
    if (address === holeAddress) return;
    this.level = level;
    this.#address = address;
    this.#addressSeq = seq;
  }
}

/** Undefined: the bytes are no page of this version. */
export function decodeExtentPage(bytes: Buffer): BlockExtent[] | undefined {
  const reader = new PackedReader(bytes);
  const count = reader.takeVarint();
  if (count < 1 || count > sealedPageExtentsMax) return undefined;
  const first = { startBlock: reader.takeVarint(), seq: reader.takeVarint(), address: reader.takeVarint() };
  const kindColumn = new ColumnReader(reader, count, 1);
  const kinds = Array.from({ length: count }, () => kindColumn.take(0));
  const addressCount = kinds.filter((kind) => kind !== 0).length;
  const volumes = new ColumnReader(reader, count, numberMax);
  const startBlocks = new ColumnReader(reader, count);
  const blockCounts = new ColumnReader(reader, count);
  const seqs = new ColumnReader(reader, count);
  const addresses = new ColumnReader(reader, addressCount);
  const levels = new ColumnReader(reader, addressCount, numberMax);
  const prediction = new ExtentPrediction();
  prediction.begin(first);
  const extents: BlockExtent[] = [];
  for (const kind of kinds) {
    const volume = volumes.take(prediction.volume);
    const startBlock = startBlocks.take(prediction.endBlock);
    const blockCount = blockCounts.take(prediction.blockCount);
    const seq = seqs.take(prediction.seq);
    const address = kind === 0 ? holeAddress : addresses.take(prediction.addressAt(seq));
    const level = kind === 0 ? 0 : levels.take(prediction.level);
    const extent = { volume, startBlock, blockCount, address, level, seq };
    const isSound = blockCount > 0 && startBlock + blockCount <= endOfBlocks && (kind === 0) === (address === 0);
    if (reader.isBroken || !isSound || !prediction.mayBe(extent)) return undefined;
    prediction.learn(extent);
    extents.push(extent);
  }
  return reader.isAtEnd ? extents : undefined;
}
