/**
 * The table of a snapshot (docs/formats.md, "The snapshot"): the group's volumes with the layers of their trees, the earlier
 * snapshots that these point into, and up to where of the sealed pieces it was made.
 *
 * Invariants, checked when read: volumes and sources are in the order of their numbers; layers begin in one of the sources or
 * in the snapshot itself; every source has nodes in use.
 */
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { getLe32, getLe64, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { partBytesMax, snapshotLayersMax, snapshotSourcesMax, snapshotVolumesMax } from "#src/core/store-limits.ts";
import { PackedReader, PackedWriter, packedBitsMax, varintBytesMax } from "#src/journals/packed-bytes.ts";
import { ColumnReader, ColumnWriter, columnBytesMax } from "#src/journals/packed-column.ts";
import { type PieceLink, pieceHashBytes } from "#src/journals/sealed-piece-format.ts";
import { saltBytes } from "#src/store/object-format.ts";
import { type TreeLayer, treeHeightMax } from "./tree-node.ts";
import { type VolumePhase, type VolumeState, volumePhase } from "./volume-state.ts";

export interface SnapshotVolume extends VolumeState {
  /** The oldest first, at most `snapshotLayersMax`. None: all of it reads as zeros. */
  readonly layers: readonly TreeLayer[];
}

/** An earlier snapshot in whose object nodes of this one lie. */
export interface SnapshotSource {
  readonly seq: number;
  /** Of its object: another one of the same name is another one. */
  readonly salt: Buffer;
  /** Of its nodes, those that this snapshot has. */
  readonly usedNodes: number;
  readonly usedBytes: number;
  /** Of all nodes that lie in it. */
  readonly nodeBytes: number;
  /** No node before this offset in its object is used. */
  readonly usedFrom: number;
}

export interface SnapshotTable {
  /** The piece that has the snapshot's seq. */
  readonly through: PieceLink;
  /** The snapshot that it was synthesized from; 0: from nothing. */
  readonly baseSeq: number;
  readonly volumes: readonly SnapshotVolume[];
  readonly sources: readonly SnapshotSource[];
}

const at = { hash: 0, firstSeq: 32, lastSeq: 40, lastEpoch: 48, volumes: 52, sources: 56, reserved: 60, baseSeq: 64 };
const headBytes = 72;
const sourceFields = ["seq", "usedNodes", "usedBytes", "nodeBytes", "usedFrom"] as const;
type SourceFields = Record<(typeof sourceFields)[number], number>;
const phaseMask = 3;
const flag = { resyncing: 4, named: 8, layered: 16 } as const;
const numberMax = 2 ** 32 - 1;
/** Without the texts: number, flags, size, how long the texts are, and how many layers. */
const volumeNumbersMax = 6;
/** Height, leaves, blocks, and the pointer. */
const layerNumbers = 8;

/** Throws a `StopError` where it would be too long: there are too many volumes. */
export function encodeSnapshotTable({ through, baseSeq, volumes, sources }: SnapshotTable): Buffer {
  assert(sources.length <= snapshotSourcesMax && volumes.length <= snapshotVolumesMax, "a table is bounded");
  const head = Buffer.alloc(headBytes);
  through.hash.copy(head, at.hash);
  putLe64(head, at.firstSeq, through.firstSeq);
  putLe64(head, at.lastSeq, through.lastSeq);
  putLe32(head, at.lastEpoch, through.lastEpoch);
  putLe32(head, at.volumes, volumes.length);
  putLe32(head, at.sources, sources.length);
  putLe64(head, at.baseSeq, baseSeq);
  const writer = new PackedWriter(tableBytesMax(volumes, sources.length));
  writer.putBytes(head, 0, head.length);
  for (const volume of volumes) putVolume(writer, volume);
  for (const field of sourceFields) {
    const column = new ColumnWriter(sources.length);
    let last = 0;
    for (const source of sources) {
      column.add(source[field], last);
      last = source[field];
    }
    column.finish(writer);
  }
  for (const { salt } of sources) writer.putBytes(salt, 0, saltBytes);
  if (writer.bytes.length > partBytesMax) {
    throw new StopError(`a snapshot of ${volumes.length} volumes is more than one can say: have fewer in a group`);
  }
  return writer.bytes;
}

function tableBytesMax(volumes: readonly SnapshotVolume[], sourceCount: number): number {
  let byteLength =
    headBytes + sourceCount * saltBytes + sourceFields.length * columnBytesMax(sourceCount, packedBitsMax);
  for (const { identity, layers } of volumes) {
    byteLength += (volumeNumbersMax + layers.length * layerNumbers) * varintBytesMax;
    byteLength += Buffer.byteLength((identity?.id ?? "") + (identity?.name ?? ""));
  }
  return byteLength;
}

function putVolume(writer: PackedWriter, { number, identity, phase, isResyncing, layers }: SnapshotVolume): void {
  assert(layers.length <= snapshotLayersMax, "a volume has so many layers");
  writer.putVarint(number);
  const isLayered = layers.length > 0;
  const flags = (isResyncing ? flag.resyncing : 0) + (identity ? flag.named : 0) + (isLayered ? flag.layered : 0);
  writer.putVarint(phase + flags);
  if (identity !== undefined) {
    writer.putVarint(identity.sizeBytes);
    for (const text of [identity.id, identity.name]) {
      const bytes = Buffer.from(text);
      writer.putVarint(bytes.length);
      writer.putBytes(bytes, 0, bytes.length);
    }
  }
  if (!isLayered) return;
  writer.putVarint(layers.length);
  for (const { pointer, height, leafCount, blockCount } of layers) {
    for (const value of [height, leafCount, blockCount]) writer.putVarint(value);
    const { startBlock, snapshotSeq, offset, storedBytes, newestSeq } = pointer;
    for (const value of [startBlock, snapshotSeq, offset, storedBytes, newestSeq]) writer.putVarint(value);
  }
}

/** Undefined: the bytes are no table of this version. `seq` is the snapshot's. */
export function decodeSnapshotTable(bytes: Buffer, seq: number): SnapshotTable | undefined {
  if (bytes.length < headBytes || getLe32(bytes, at.reserved) !== 0) return undefined;
  const [volumeCount, sourceCount] = [getLe32(bytes, at.volumes), getLe32(bytes, at.sources)];
  if (volumeCount > snapshotVolumesMax || sourceCount > snapshotSourcesMax) return undefined;
  const through = {
    hash: Buffer.from(bytes.subarray(at.hash, at.hash + pieceHashBytes)),
    firstSeq: getLe64(bytes, at.firstSeq),
    lastSeq: getLe64(bytes, at.lastSeq),
    lastEpoch: getLe32(bytes, at.lastEpoch),
  };
  const reader = new PackedReader(bytes, headBytes);
  const volumes: SnapshotVolume[] = [];
  for (let index = 0; index < volumeCount && !reader.isBroken; index++) volumes.push(takeVolume(reader));
  const table = {
    through,
    baseSeq: getLe64(bytes, at.baseSeq),
    volumes,
    sources: reader.isBroken ? [] : takeSources(reader, sourceCount),
  };
  return !reader.isBroken && reader.isAtEnd && isSound(table, seq) ? table : undefined;
}

function takeVolume(reader: PackedReader): SnapshotVolume {
  const number = reader.takeVarint();
  const flags = reader.takeVarint();
  const phase = flags & phaseMask;
  if (flags >= 2 * flag.layered || phase > volumePhase.complete || number > numberMax) reader.breakOff();
  const state = { number, phase: phase as VolumePhase, isResyncing: (flags & flag.resyncing) !== 0 };
  const identity = (flags & flag.named) === 0 ? undefined : takeIdentity(reader);
  return { ...state, identity, layers: (flags & flag.layered) === 0 ? [] : takeLayers(reader) };
}

function takeIdentity(reader: PackedReader): SnapshotVolume["identity"] {
  const sizeBytes = reader.takeVarint();
  const [id, name] = [takeText(reader), takeText(reader)];
  return { id, name, sizeBytes };
}

function takeText(reader: PackedReader): string {
  const byteLength = reader.takeVarint();
  return reader.takeBytes(byteLength).toString("utf8");
}

function takeLayers(reader: PackedReader): TreeLayer[] {
  const count = reader.takeVarint();
  if (count < 1 || count > snapshotLayersMax) reader.breakOff();
  const layers: TreeLayer[] = [];
  for (let index = 0; index < count && !reader.isBroken; index++) layers.push(takeLayer(reader));
  return layers;
}

function takeLayer(reader: PackedReader): TreeLayer {
  const [height, leafCount, blockCount] = [reader.takeVarint(), reader.takeVarint(), reader.takeVarint()];
  const [startBlock, snapshotSeq, offset] = [reader.takeVarint(), reader.takeVarint(), reader.takeVarint()];
  const [storedBytes, newestSeq] = [reader.takeVarint(), reader.takeVarint()];
  return { height, leafCount, blockCount, pointer: { startBlock, snapshotSeq, offset, storedBytes, newestSeq } };
}

function takeSources(reader: PackedReader, count: number): SnapshotSource[] {
  const found = Array.from({ length: count }, () => ({}) as SourceFields);
  for (const field of sourceFields) {
    const column = new ColumnReader(reader, count);
    let last = 0;
    for (const one of found) {
      last = column.take(last);
      one[field] = last;
    }
  }
  return found.map((one) => ({ ...one, salt: Buffer.from(reader.takeBytes(saltBytes)) }));
}

function isSound({ through, baseSeq, volumes, sources }: SnapshotTable, seq: number): boolean {
  const isWithin = through.firstSeq <= seq && seq <= through.lastSeq && through.lastSeq <= Number.MAX_SAFE_INTEGER;
  const places = new Set([seq, ...sources.map((source) => source.seq)]);
  return (
    isWithin &&
    (baseSeq < seq || seq === 0) &&
    areAscending(volumes.map(({ number }) => number)) &&
    areAscending(sources.map((source) => source.seq)) &&
    (sources.at(-1)?.seq ?? -1) < seq &&
    sources.every(isSoundSource) &&
    volumes.every(({ layers }) => layers.every((layer) => isSoundLayer(layer, places)))
  );
}

function isSoundLayer({ height, leafCount, pointer }: TreeLayer, places: ReadonlySet<number>): boolean {
  return height <= treeHeightMax && leafCount >= 1 && places.has(pointer.snapshotSeq);
}

function isSoundSource({ usedNodes, usedBytes, nodeBytes }: SnapshotSource): boolean {
  return usedNodes >= 1 && usedBytes <= nodeBytes;
}

function areAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number));
}
